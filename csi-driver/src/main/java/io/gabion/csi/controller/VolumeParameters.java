package io.gabion.csi.controller;

import static java.util.Objects.requireNonNull;

import io.gabion.csi.backend.NewVolume.Claim;
import io.gabion.csi.backend.StoredPool;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.csi.backend.VolumeSettings.Limits;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.VolumeSpec;
import io.gabion.process.NearestWord;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Parameters of a StorageClass and of a VolumeAttributesClass. Whatever is not understood is refused: a typing error that was
 * ignored would be a volume that is not what somebody believes it to be.
 */
final class VolumeParameters {
    static final String POOL = "pool";
    static final String REPLICAS = "replicas";
    static final String MIN_IN_SYNC = "minInSync";
    static final String ON_POOL_FULL = "onPoolFull";
    static final String LOCALITY = "locality";
    static final String QOS_IOPS = "qosIops";
    static final String QOS_BYTES_PER_SECOND = "qosBytesPerSecond";
    static final String FS_TYPE = "csi.storage.k8s.io/fstype";
    static final String CLAIM_NAME = "csi.storage.k8s.io/pvc/name";
    static final String CLAIM_NAMESPACE = "csi.storage.k8s.io/pvc/namespace";
    static final String PV_NAME = "csi.storage.k8s.io/pv/name";
    static final String DEFAULT_POOL = "default";

    private static final String SHORT_FS_TYPE = "fsType";
    private static final String RESERVED_PREFIX = "csi.storage.k8s.io/";
    private static final String PV_NAME_PREFIX = "pvc-";
    private static final int DEFAULT_REPLICAS = 3;
    private static final long MIN_BYTES_PER_SECOND = 4096;
    /** A map of the specification has at most 4 KiB. */
    private static final int MAX_MAP_BYTES = 4096;

    /** At most 12 digits, so that no factor can overflow. */
    private static final Pattern QUANTITY = Pattern.compile("([0-9]{1,12})(|k|M|G|Ki|Mi|Gi)");

    private static final Map<String, Long> FACTORS = Map.of(
            "", 1L, "k", 1_000L, "M", 1_000_000L, "G", 1_000_000_000L, "Ki", 1L << 10, "Mi", 1L << 20, "Gi", 1L << 30);

    private static final List<String> CLASS_KEYS = List.of(POOL, REPLICAS, MIN_IN_SYNC, ON_POOL_FULL, LOCALITY);
    private static final List<String> MUTABLE_KEYS = List.of(REPLICAS, LOCALITY, QOS_IOPS, QOS_BYTES_PER_SECOND);
    private static final List<String> RESERVED_KEYS = List.of(FS_TYPE, CLAIM_NAME, CLAIM_NAMESPACE, PV_NAME);

    private final Map<String, String> parameters;
    private final Map<String, String> mutable;

    private VolumeParameters(Map<String, String> parameters, Map<String, String> mutable) {
        this.parameters = parameters;
        this.mutable = mutable;
    }

    /** Parameters of a volume to be made. */
    static VolumeParameters ofClass(Map<String, String> parameters, Map<String, String> mutable) {
        checkSize("parameters", parameters);
        for (String key : parameters.keySet()) {
            if (MUTABLE_KEYS.contains(key) && !CLASS_KEYS.contains(key)) {
                throw CsiFailure.invalid(
                        "parameter \"" + key + "\" belongs into a VolumeAttributesClass, not into a StorageClass");
            }
            List<String> known = key.startsWith(RESERVED_PREFIX) ? RESERVED_KEYS : CLASS_KEYS;
            if (!known.contains(key)) {
                throw CsiFailure.invalid("parameter \"" + key + "\" is not known; did you mean \"" + nearest(key, known)
                        + "\"? There are: " + String.join(", ", CLASS_KEYS));
            }
        }
        VolumeParameters all = new VolumeParameters(parameters, mutable);
        checkMutable(mutable);
        all.checkValues();
        return all;
    }

    /** Older drivers know the file system by its short name. */
    private static String nearest(String key, List<String> known) {
        return key.equalsIgnoreCase(SHORT_FS_TYPE) ? FS_TYPE : NearestWord.of(key, known);
    }

    /** Parameters that change an existing volume. */
    static VolumeParameters ofAttributes(Map<String, String> mutable) {
        checkMutable(mutable);
        VolumeParameters all = new VolumeParameters(Map.of(), mutable);
        all.checkValues();
        return all;
    }

    private static void checkMutable(Map<String, String> mutable) {
        checkSize("mutable_parameters", mutable);
        for (String key : mutable.keySet()) {
            if (CLASS_KEYS.contains(key) && !MUTABLE_KEYS.contains(key)) {
                throw CsiFailure.invalid(
                        "parameter \"" + key + "\" cannot be changed on a volume that exists; those of a "
                                + "VolumeAttributesClass are: " + String.join(", ", MUTABLE_KEYS));
            }
            if (!MUTABLE_KEYS.contains(key)) {
                throw CsiFailure.invalid("parameter \"" + key + "\" is not known; did you mean \""
                        + NearestWord.of(key, MUTABLE_KEYS) + "\"? Those of a VolumeAttributesClass are: "
                        + String.join(", ", MUTABLE_KEYS));
            }
        }
    }

    private static void checkSize(String field, Map<String, String> map) {
        int characters = map.entrySet().stream()
                .mapToInt(e -> e.getKey().length() + e.getValue().length())
                .sum();
        if (characters > MAX_MAP_BYTES) {
            throw CsiFailure.invalid(field + " has more than " + MAX_MAP_BYTES + " characters");
        }
    }

    private void checkValues() {
        replicas();
        minInSync();
        onPoolFull();
        preferLocal();
        limits(Limits.NONE);
    }

    String pool() {
        String pool = parameters.getOrDefault(POOL, DEFAULT_POOL);
        if (pool.isBlank()) {
            throw CsiFailure.invalid("parameter \"pool\" is empty; give the name of a StoragePool");
        }
        return pool;
    }

    /** Of the class, for people and for comparison; without what differs from claim to claim. */
    String canonical() {
        return new TreeMap<>(parameters)
                .entrySet().stream()
                        .filter(e -> !e.getKey().startsWith(RESERVED_PREFIX))
                        .map(e -> e.getKey() + "=" + e.getValue())
                        .collect(Collectors.joining(","));
    }

    Optional<String> fileSystem() {
        return Optional.ofNullable(parameters.get(FS_TYPE)).filter(text -> !text.isEmpty());
    }

    Optional<Claim> claim() {
        String namespace = parameters.getOrDefault(CLAIM_NAMESPACE, "");
        String name = parameters.getOrDefault(CLAIM_NAME, "");
        if (namespace.isEmpty() || name.isEmpty()) {
            return Optional.empty();
        }
        Optional<String> uid = Optional.ofNullable(parameters.get(PV_NAME))
                .filter(pv -> pv.startsWith(PV_NAME_PREFIX))
                .map(pv -> pv.substring(PV_NAME_PREFIX.length()));
        return Optional.of(new Claim(namespace, name, uid));
    }

    VolumeSettings settings(long sizeBytes, StoredPool pool) {
        int replicas = replicas().orElse(pool.defaultReplicas().orElse(DEFAULT_REPLICAS));
        OptionalInt minInSync = minInSync();
        if (minInSync.isEmpty() && replicas().isEmpty()) {
            minInSync = pool.defaultMinInSync();
        }
        checkTogether(replicas, minInSync);
        return new VolumeSettings(
                sizeBytes,
                pool.name(),
                replicas,
                minInSync,
                onPoolFull().orElse(PoolFullPolicy.STALL),
                preferLocal().orElse(true),
                limits(Limits.NONE));
    }

    /** The settings of an existing volume with what is given here changed. */
    VolumeSettings changed(VolumeSettings current) {
        int replicas = replicas().orElse(current.replicas());
        checkTogether(replicas, current.minInSync());
        return new VolumeSettings(
                current.sizeBytes(),
                current.pool(),
                replicas,
                current.minInSync(),
                current.onPoolFull(),
                preferLocal().orElse(current.preferLocal()),
                limits(current.limits()));
    }

    private static void checkTogether(int replicas, OptionalInt minInSync) {
        if (minInSync.isPresent() && minInSync.getAsInt() > replicas) {
            throw CsiFailure.invalid("parameter \"minInSync\" is " + minInSync.getAsInt() + " but there are only "
                    + replicas + " replicas: no write could ever be acknowledged");
        }
    }

    /** Of this many copies, empty: the pool's default. */
    OptionalInt replicas() {
        return number(REPLICAS, 1, VolumeSpec.MAX_REPLICAS);
    }

    private OptionalInt minInSync() {
        return number(MIN_IN_SYNC, 1, VolumeSpec.MAX_REPLICAS);
    }

    private Optional<PoolFullPolicy> onPoolFull() {
        return word(ON_POOL_FULL, Map.of("Stall", PoolFullPolicy.STALL, "Error", PoolFullPolicy.ERROR));
    }

    private Optional<Boolean> preferLocal() {
        return word(LOCALITY, Map.of("None", false, "Preferred", true));
    }

    private Limits limits(Limits current) {
        OptionalLong iops = quantity(QOS_IOPS, 1);
        OptionalLong bytes = quantity(QOS_BYTES_PER_SECOND, MIN_BYTES_PER_SECOND);
        return new Limits(
                iops.isPresent() ? iops : current.iops(), bytes.isPresent() ? bytes : current.bytesPerSecond());
    }

    private @Nullable String text(String key) {
        String value = mutable.get(key);
        return value == null ? parameters.get(key) : value;
    }

    private OptionalInt number(String key, int lowest, int highest) {
        String text = text(key);
        if (text == null) {
            return OptionalInt.empty();
        }
        for (int i = lowest; i <= highest; i++) {
            if (Integer.toString(i).equals(text)) {
                return OptionalInt.of(i);
            }
        }
        throw wrong(key, text, "a whole number from " + lowest + " to " + highest);
    }

    private OptionalLong quantity(String key, long lowest) {
        String text = text(key);
        if (text == null) {
            return OptionalLong.empty();
        }
        Matcher matcher = QUANTITY.matcher(text);
        if (!matcher.matches()) {
            throw wrong(key, text, "a whole number, as in 500 or 50Mi");
        }
        long factor = requireNonNull(FACTORS.get(requireNonNull(matcher.group(2))));
        long value = Long.parseLong(requireNonNull(matcher.group(1))) * factor;
        if (value < lowest) {
            throw wrong(key, text, "at least " + lowest);
        }
        return OptionalLong.of(value);
    }

    private <T> Optional<T> word(String key, Map<String, T> words) {
        String text = text(key);
        if (text == null) {
            return Optional.empty();
        }
        T value = words.get(text);
        if (value == null) {
            throw wrong(key, text, String.join(" or ", new TreeMap<>(words).keySet()));
        }
        return Optional.of(value);
    }

    private static CsiFailure wrong(String key, String text, String wanted) {
        return CsiFailure.invalid("parameter \"" + key + "\" must be " + wanted + ", not \"" + text + "\"");
    }
}
