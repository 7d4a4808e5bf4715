package io.gabion.store.metadata;

import io.gabion.model.Lsn;

/**
 * The layout of every key of the index: the only place that knows it. All numbers are big-endian, so that keys sort by their
 * fields. A replica is named by its local number, given when it was created on this disk and never re-used, so that a volume
 * that returns does not meet what is left of its predecessor.
 *
 * <pre>
 * A                                                  how far the log is applied
 * C                                                  what A was when bitmap and region pages were written
 * B page(4)                                          bitmap of blocks that hold data, one page
 * H replica(4)                                       volume and replica record
 * P replica(4)                                       progress: last LSN, commit position, change log, space
 * D replica(4)                                       deleted, its entries are still being collected
 * N replica(4)                                       snapshots, clones, parent, how far collection is
 * T replica(4)                                       its volume was deleted, but clones still read from it
 * E replica(4) block(8) ~epoch(8) ~seq(8)            extent: block contains the chunk in its upper bits
 * L replica(4) epoch(8) seq(8) sub(8)                change log
 * R replica(4) page(4)                               region table, one page
 * </pre>
 */
public final class MetadataKeys {
    public static final int EXTENT_BYTES = 29;
    public static final int CHANGE_BYTES = 29;

    private MetadataKeys() {}

    public static byte[] applied() {
        return new byte[] {'A'};
    }

    public static byte[] checkpointed() {
        return new byte[] {'C'};
    }

    public static byte[] bitmapPage(int page) {
        return numbered('B', page);
    }

    public static byte[] head(int replica) {
        return numbered('H', replica);
    }

    public static byte[] progress(int replica) {
        return numbered('P', replica);
    }

    public static byte[] deleted(int replica) {
        return numbered('D', replica);
    }

    public static byte[] extent(int replica, long block, long epoch, long seq) {
        byte[] key = new byte[EXTENT_BYTES];
        key[0] = 'E';
        putInt(key, 1, replica);
        putLong(key, 5, block);
        putLong(key, 13, ~epoch);
        putLong(key, 21, ~seq);
        return key;
    }

    public static byte[] ancestry(int replica) {
        return numbered('N', replica);
    }

    public static byte[] retired(int replica) {
        return numbered('T', replica);
    }

    /** Not higher than any extent of the replica that begins at {@code block} or later. */
    public static byte[] extentsFrom(int replica, long block) {
        byte[] key = new byte[13];
        key[0] = 'E';
        putInt(key, 1, replica);
        putLong(key, 5, block);
        return key;
    }

    public static boolean isExtentOf(byte[] key, int replica) {
        return key.length == EXTENT_BYTES && key[0] == 'E' && getInt(key, 1) == replica;
    }

    public static long extentBlock(byte[] key) {
        return getLong(key, 5);
    }

    public static long extentEpoch(byte[] key) {
        return ~getLong(key, 13);
    }

    public static long extentSeq(byte[] key) {
        return ~getLong(key, 21);
    }

    public static byte[] change(int replica, Lsn lsn, long sub) {
        byte[] key = new byte[CHANGE_BYTES];
        key[0] = 'L';
        putInt(key, 1, replica);
        putLong(key, 5, lsn.epoch());
        putLong(key, 13, lsn.seq());
        putLong(key, 21, sub);
        return key;
    }

    public static boolean isChangeOf(byte[] key, int replica) {
        return key.length == CHANGE_BYTES && key[0] == 'L' && getInt(key, 1) == replica;
    }

    public static Lsn changeLsn(byte[] key) {
        return new Lsn(getLong(key, 5), getLong(key, 13));
    }

    /** 0 for an operation of the stream; copied blocks have others. */
    public static long changeSub(byte[] key) {
        return getLong(key, 21);
    }

    public static byte[] regionPage(int replica, int page) {
        byte[] key = new byte[9];
        key[0] = 'R';
        putInt(key, 1, replica);
        putInt(key, 5, page);
        return key;
    }

    public static int regionPageNumber(byte[] key) {
        return getInt(key, 5);
    }

    public static byte[] badPlace(long place) {
        byte[] key = new byte[9];
        key[0] = 'Q';
        putLong(key, 1, place);
        return key;
    }

    public static boolean isBadPlace(byte[] key) {
        return key.length == 9 && key[0] == 'Q';
    }

    public static long place(byte[] badPlaceKey) {
        return getLong(badPlaceKey, 1);
    }

    /** Lowest key of a kind. */
    public static byte[] kind(char kind) {
        return new byte[] {(byte) kind};
    }

    public static boolean isNumbered(byte[] key, char kind) {
        return key.length == 5 && key[0] == kind;
    }

    /** Replica or page number of a key that has one behind its kind. */
    public static int number(byte[] key) {
        return getInt(key, 1);
    }

    /** True when the key is of the kind and names the replica. */
    public static boolean isOf(byte[] key, char kind, int replica) {
        return key.length >= 5 && key[0] == kind && getInt(key, 1) == replica;
    }

    public static byte[] numbered(char kind, int number) {
        byte[] key = new byte[5];
        key[0] = (byte) kind;
        putInt(key, 1, number);
        return key;
    }

    private static void putInt(byte[] to, int at, int value) {
        to[at] = (byte) (value >>> 24);
        to[at + 1] = (byte) (value >>> 16);
        to[at + 2] = (byte) (value >>> 8);
        to[at + 3] = (byte) value;
    }

    private static void putLong(byte[] to, int at, long value) {
        putInt(to, at, (int) (value >>> 32));
        putInt(to, at + 4, (int) value);
    }

    private static int getInt(byte[] from, int at) {
        return ((from[at] & 0xff) << 24)
                | ((from[at + 1] & 0xff) << 16)
                | ((from[at + 2] & 0xff) << 8)
                | (from[at + 3] & 0xff);
    }

    private static long getLong(byte[] from, int at) {
        return ((long) getInt(from, at) << 32) | (getInt(from, at + 4) & 0xffff_ffffL);
    }
}
