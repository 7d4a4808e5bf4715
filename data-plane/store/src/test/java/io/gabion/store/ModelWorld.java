package io.gabion.store;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Models of volumes that are clones of one another, each after some of its records. */
final class ModelWorld {
    private final Map<VolumeId, VolumeModel.State> states = new HashMap<>();

    void put(VolumeId volume, VolumeModel.State state) {
        states.put(volume, state);
    }

    VolumeModel.State state(VolumeId volume) {
        VolumeModel.State state = states.get(volume);
        if (state == null) {
            throw new AssertionError("no state of " + volume);
        }
        return state;
    }

    /** Content of a block for a reader of the volume that sees {@code view} of it; null: a hole. */
    byte @Nullable [] content(VolumeId volume, VolumeModel.View view, int block) {
        VolumeModel.View found = holder(volume, view, block);
        return found == null ? null : found.content.get(block);
    }

    Lsn version(VolumeId volume, VolumeModel.View view, int block) {
        VolumeModel.View found = holder(volume, view, block);
        return found == null ? Lsn.ZERO : found.versions[block];
    }

    private VolumeModel.@Nullable View holder(VolumeId volume, VolumeModel.View view, int block) {
        VolumeModel.View from = view;
        VolumeId at = volume;
        while (from.versions[block].equals(Lsn.ZERO) && !from.covered.get(block)) {
            VolumeId parent = from.parent;
            if (parent == null) {
                return null;
            }
            from = state(parent).viewOfClone(at);
            at = parent;
        }
        return from;
    }

    byte[] bytes(VolumeId volume, VolumeModel.View view) {
        byte[] bytes = new byte[(int) VolumeModel.SIZE];
        for (int block = 0; block < VolumeModel.BLOCKS; block++) {
            byte[] content = content(volume, view, block);
            if (content != null) {
                System.arraycopy(content, 0, bytes, block * 4096, 4096);
            }
        }
        return bytes;
    }
}
