package io.gabion.protocol.control;

import static java.util.Objects.requireNonNull;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a snapshot is called and which number its volume reserved for it, as the stand-alone configuration store keeps it. It
 * decides nothing: which snapshots there are is known to the volume's primary alone.
 *
 * @param name unique among the snapshots of the volume
 * @param number reserved in the volume's record, from 1
 * @param taken what the primary said; empty until then
 * @param wantedAtMillis when the command was given, since 1970
 * @param deleting it is to go; never taken back
 * @param version one higher at every change; what a swap compares
 */
public record SnapshotRecord(
        VolumeId volume,
        String name,
        long number,
        Optional<Taken> taken,
        long wantedAtMillis,
        boolean deleting,
        long version) {
    /** As long as a label of a DNS name: such names are file names and Kubernetes names too. */
    public static final int MAX_NAME_LENGTH = 63;

    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9.]*[a-z0-9])?");

    /**
     * Where in the volume's history it was taken, and how long the volume was then.
     *
     * @param sizeBytes of the volume when it was taken, or a little later
     */
    public record Taken(Lsn lsn, long sizeBytes) {
        public Taken {
            requireNonNull(lsn, "lsn is null");
            if (sizeBytes <= 0) {
                throw new IllegalArgumentException("size_bytes must be positive: " + sizeBytes);
            }
        }
    }

    public SnapshotRecord {
        requireNonNull(volume, "volume is null");
        requireNonNull(taken, "taken is null");
        if (!isName(name)) {
            throw new IllegalArgumentException("name must have 1 to " + MAX_NAME_LENGTH
                    + " of a-z, 0-9, \"-\" and \".\", with a letter or digit at both ends: \"" + name + "\"");
        }
        if (number < 1) {
            throw new IllegalArgumentException("number starts at 1: " + number);
        }
        if (wantedAtMillis < 0) {
            throw new IllegalArgumentException("wanted_at_millis must not be negative: " + wantedAtMillis);
        }
        if (version < 1) {
            throw new IllegalArgumentException("version starts at 1: " + version);
        }
    }

    public static boolean isName(String name) {
        return name.length() <= MAX_NAME_LENGTH && NAME.matcher(name).matches();
    }

    /** The next version, under another number: the one before cannot be taken any more. */
    public SnapshotRecord withNumber(long newNumber) {
        return new SnapshotRecord(volume, name, newNumber, taken, wantedAtMillis, deleting, version + 1);
    }

    public SnapshotRecord withTaken(Taken newTaken) {
        return new SnapshotRecord(volume, name, number, Optional.of(newTaken), wantedAtMillis, deleting, version + 1);
    }

    public SnapshotRecord withDeleting() {
        return new SnapshotRecord(volume, name, number, taken, wantedAtMillis, true, version + 1);
    }
}
