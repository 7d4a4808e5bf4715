package io.gabion.agent.fuse;

import io.gabion.agent.linux.Descriptor;
import java.io.IOException;
import java.util.Map;

/**
 * Whoever keeps open descriptors while this process is restarted or replaced. A connection to the kernel ends, with errors for
 * its users, when its last descriptor is closed.
 */
public interface DescriptorKeeper {
    /** Keeps a duplicate under the name, in place of an earlier one. Returns when it is kept. */
    void keep(String name, Descriptor descriptor) throws IOException;

    /** Closes what is kept under the name; nothing kept is no error. */
    void drop(String name) throws IOException;

    /**
     * Duplicates of everything that is kept, by name; they belong to the caller. May take a while: a predecessor of this
     * process may first have to finish.
     */
    Map<String, Descriptor> list() throws IOException;

    /** Says that this process works; a keeper that is not told so for long may restart it. */
    void alive() throws IOException;

    /** Keeps nothing: devices end with the process. */
    static DescriptorKeeper none() {
        return new DescriptorKeeper() {
            @Override
            public void keep(String name, Descriptor descriptor) {
                // What ends with the process needs no keeping.
            }

            @Override
            public void drop(String name) {
                // Nothing is kept.
            }

            @Override
            public Map<String, Descriptor> list() {
                return Map.of();
            }

            @Override
            public void alive() {
                // Nobody listens.
            }
        };
    }
}
