package io.gabion.store;

import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.DeviceFile;
import java.io.IOException;
import java.util.List;

/** A device that does everything on the caller's thread. */
record InlineDevice(DeviceFile file) implements BlockDevice {
    @Override
    public void writeDurably(List<Piece> pieces, Completion completion) {
        throw new UnsupportedOperationException("only for reading");
    }

    @Override
    public void read(List<Piece> pieces, Completion completion) {
        try {
            for (Piece piece : pieces) {
                file.read(piece.position(), piece.buffer());
            }
            completion.completed(null);
        } catch (IOException e) {
            completion.completed(e);
        }
    }

    @Override
    public String backend() {
        return "inline";
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
