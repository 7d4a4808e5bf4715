package io.gabion.store;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.port.LogRecord;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** What a volume must hold after any prefix of its records; generates the records too. */
final class VolumeModel {
    static final int BLOCKS = 320;
    static final long SIZE = BLOCKS * 4096L;

    final VolumeId volume;
    private final List<LogRecord> records = new ArrayList<>();
    private final List<byte[]> contents = new ArrayList<>();
    private long epoch = 1;
    private long seq;
    volatile int acknowledged;

    VolumeModel(VolumeId volume) {
        this.volume = volume;
    }

    /** State after a prefix. */
    static final class State {
        final Lsn[] versions = new Lsn[BLOCKS];
        final Map<Integer, byte[]> content = new HashMap<>();
        boolean exists;
        Lsn lastLsn = Lsn.ZERO;

        State() {
            Arrays.fill(versions, Lsn.ZERO);
        }

        byte[] bytes() {
            byte[] bytes = new byte[(int) SIZE];
            content.forEach((number, block) -> System.arraycopy(block, 0, bytes, number * 4096, 4096));
            return bytes;
        }
    }

    synchronized int size() {
        return records.size();
    }

    /** The next record; also remembered. */
    synchronized LogRecord next(Random random) {
        boolean exists = records.isEmpty() ? false : stateAfter(records.size()).exists;
        LogRecord record = exists ? generate(random) : created();
        records.add(record);
        return record;
    }

    /** A record that was chosen elsewhere; {@code content} is the data in it. */
    synchronized LogRecord add(LogRecord record, byte[] content) {
        records.add(record);
        contents.add(content);
        return record;
    }

    private LogRecord created() {
        contents.add(new byte[0]);
        return new LogRecord.ReplicaChanged(StoreRig.record(volume, SIZE, epoch, 0, new Lsn(epoch, seq)));
    }

    private LogRecord generate(Random random) {
        int kind = random.nextInt(100);
        if (kind < 55) {
            int blocks = random.nextInt(10) == 0 ? 1 + random.nextInt(40) : 1 + random.nextInt(3);
            byte[] content = new byte[blocks * 4096];
            random.nextBytes(content);
            contents.add(content);
            return StoreRig.written(epoch, ++seq, random.nextInt(BLOCKS - blocks + 1), content);
        }
        if (kind < 70) {
            contents.add(new byte[0]);
            int blocks = 1 + random.nextInt(60);
            return StoreRig.trimmed(epoch, ++seq, random.nextInt(BLOCKS - blocks + 1), blocks);
        }
        if (kind < 85) {
            return copied(random);
        }
        contents.add(new byte[0]);
        if (kind < 88) {
            return new LogRecord.ReplicaDeleted();
        }
        if (kind < 94) {
            return new LogRecord.Marked(new Lsn(epoch, ++seq));
        }
        epoch++;
        seq = 0;
        return new LogRecord.ReplicaChanged(StoreRig.record(volume, SIZE, epoch, 0, new Lsn(epoch, 0)));
    }

    private LogRecord copied(Random random) {
        List<BlockRun> runs = new ArrayList<>();
        byte[] all = new byte[0];
        long block = random.nextInt(BLOCKS / 2);
        for (int i = 0; i < 1 + random.nextInt(4) && block < BLOCKS - 12; i++) {
            int blocks = 1 + random.nextInt(6);
            // Of any earlier epoch, of this one, or never written.
            Lsn lsn = new Lsn(1 + random.nextLong(epoch), 1 + random.nextInt(20));
            if (random.nextInt(3) == 0) {
                Lsn hole = random.nextBoolean() ? Lsn.ZERO : lsn;
                runs.add(new BlockRun(block, blocks, hole, Optional.empty()));
            } else {
                byte[] content = new byte[blocks * 4096];
                random.nextBytes(content);
                all = concat(all, content);
                runs.add(new BlockRun(block, blocks, lsn, Optional.of(HeapPayload.of(content))));
            }
            block += blocks + random.nextInt(5);
        }
        contents.add(all);
        return new LogRecord.Copied(epoch, runs);
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    synchronized State stateAfter(int count) {
        State state = new State();
        for (int i = 0; i < count; i++) {
            state = apply(state, records.get(i), contents.get(i));
        }
        return state;
    }

    private static State apply(State state, LogRecord record, byte[] content) {
        switch (record) {
            case LogRecord.Written r -> {
                int first = (int) r.range().firstBlock();
                for (int i = 0; i < r.range().blockCount(); i++) {
                    state.versions[first + i] = r.lsn();
                    state.content.put(first + i, Arrays.copyOfRange(content, i * 4096, (i + 1) * 4096));
                }
                state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            }
            case LogRecord.Trimmed r -> {
                int first = (int) r.range().firstBlock();
                for (int i = first; i < first + r.range().blockCount(); i++) {
                    state.versions[i] = r.lsn();
                    state.content.remove(i);
                }
                state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            }
            case LogRecord.Marked r -> state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            case LogRecord.Copied r -> copy(state, r, content);
            case LogRecord.ReplicaChanged r -> {
                state.exists = true;
                state.lastLsn = Lsn.max(state.lastLsn, r.record().position());
            }
            case LogRecord.ReplicaDeleted _ -> {
                return new State();
            }
            case LogRecord.SessionOpened r -> state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            case LogRecord.Grown r -> state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
        }
        return state;
    }

    private static void copy(State state, LogRecord.Copied record, byte[] content) {
        int at = 0;
        for (BlockRun run : record.runs()) {
            for (int i = 0; i < run.blocks(); i++) {
                int block = (int) run.firstBlock() + i;
                int from = at;
                at += run.payload().isPresent() ? 4096 : 0;
                Lsn present = state.versions[block];
                if (present.epoch() != record.liveEpoch() || !present.isAfter(run.lsn())) {
                    state.versions[block] = run.lsn();
                    if (at > from) {
                        state.content.put(block, Arrays.copyOfRange(content, from, at));
                    } else {
                        state.content.remove(block);
                    }
                }
            }
        }
    }
}
