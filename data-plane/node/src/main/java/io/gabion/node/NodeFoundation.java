package io.gabion.node;

import io.gabion.process.BuildVersion;
import io.gabion.protocol.control.ControlTls;
import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import io.gabion.wire.Hello;
import io.gabion.wire.Role;
import io.gabion.wire.TlsEngine;
import io.gabion.wire.TlsIdentity;
import io.gabion.wire.WireOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What exists before the node does: directory, certificates, event loops; and how to undo everything when the start fails. */
final class NodeFoundation {
    private final WireOptions wire;
    private final ControlTls control;
    private final List<Runnable> undo = new ArrayList<>();

    private NodeFoundation(WireOptions wire, ControlTls control) {
        this.wire = wire;
        this.control = control;
        undo.add(wire.loops()::close);
    }

    static NodeFoundation lay(NodeOptions options) throws StartException {
        checkDirectory("data", options.data());
        checkDirectory("disk", options.disk());
        try {
            ControlTls control = ControlTls.load(options.cluster(), options.certificate(), options.key(), options.ca());
            TlsIdentity tls =
                    TlsIdentity.load(options.ca(), options.certificate(), options.key(), TlsEngine.Choice.AUTO);
            Hello self = Hello.of(Role.NODE, options.cluster(), options.name(), options.bootId(), BuildVersion.text());
            if (!tls.identity().equals(self.identity())) {
                throw new StartException("certificate " + options.certificate() + " is for " + tls.identity()
                        + ", but this process is " + self.identity() + " (check --name, --cluster and --certificate)");
            }
            EventLoops loops =
                    EventLoops.start(Backend.Choice.parse(options.networkBackend()), options.loops(), "gabion-loop");
            return new NodeFoundation(WireOptions.of(loops, self, tls), control);
        } catch (StartException e) {
            throw e;
        } catch (IOException | IllegalStateException | IllegalArgumentException e) {
            throw new StartException(String.valueOf(e.getMessage()), e);
        }
    }

    private static void checkDirectory(String what, Path directory) throws StartException {
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new StartException(
                    what + " directory " + directory + " cannot be made: " + e.getMessage()
                            + " (it must be a directory that this user may write)",
                    e);
        }
        if (!Files.isWritable(directory)) {
            throw new StartException(what + " directory " + directory + " cannot be written by this user");
        }
    }

    WireOptions wire() {
        return wire;
    }

    ControlTls control() {
        return control;
    }

    void closeOnFailure(Runnable step) {
        undo.add(step);
    }

    void undoAll() {
        undo.reversed().forEach(Runnable::run);
    }
}
