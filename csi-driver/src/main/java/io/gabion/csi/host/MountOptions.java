package io.gabion.csi.host;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Options of mount that a claim may ask for. Whoever may make a PersistentVolume names them and root executes them, so only
 * those are let through that stay within the volume: not one that names another device or file.
 */
public final class MountOptions {
    private static final int MAX_OPTIONS = 64;
    private static final int MAX_CHARACTERS = 256;
    /** A label of SELinux, as the kubelet passes it; its categories are separated by commas within quotes. */
    private static final Pattern CONTEXT =
            Pattern.compile("(context|fscontext|defcontext|rootcontext)=(\"[\\w:,.-]{1,200}\"|[\\w:.-]{1,200})");

    private static final Pattern WITH_VALUE = Pattern.compile("[a-z0-9_]+=[A-Za-z0-9_.-]{1,32}");

    private static final Set<String> FLAGS = Set.of(
            "acl",
            "async",
            "attr2",
            "auto_da_alloc",
            "barrier",
            "block_validity",
            "defaults",
            "delalloc",
            "dev",
            "diratime",
            "dirsync",
            "discard",
            "exec",
            "filestreams",
            "i_version",
            "ikeep",
            "inode32",
            "inode64",
            "iversion",
            "journal_checksum",
            "largeio",
            "lazytime",
            "mand",
            "noacl",
            "noalign",
            "noatime",
            "noattr2",
            "noauto_da_alloc",
            "nobarrier",
            "noblock_validity",
            "nodelalloc",
            "nodev",
            "nodiratime",
            "nodiscard",
            "noexec",
            "noikeep",
            "noinit_itable",
            "init_itable",
            "noiversion",
            "nolargeio",
            "nolazytime",
            "noload",
            "nomand",
            "nomblk_io_submit",
            "norecovery",
            "norelatime",
            "noquota",
            "nosuid",
            "nosymfollow",
            "nostrictatime",
            "nouid32",
            "nouser_xattr",
            "nouuid",
            "prjquota",
            "pquota",
            "quota",
            "relatime",
            "ro",
            "rw",
            "strictatime",
            "suid",
            "swalloc",
            "sync",
            "user_xattr",
            "usrquota",
            "grpquota",
            "uquota",
            "gquota",
            "wsync");
    private static final Set<String> KEYS = Set.of(
            "allocsize",
            "barrier",
            "commit",
            "data",
            "errors",
            "init_itable",
            "inode_readahead_blks",
            "logbsize",
            "logbufs",
            "max_batch_time",
            "min_batch_time",
            "stripe",
            "sunit",
            "swidth");

    private MountOptions() {}

    /** Why one of the options is not let through; empty when all are. */
    public static Optional<String> obstacle(List<String> options) {
        if (options.size() > MAX_OPTIONS) {
            return Optional.of("there are more than " + MAX_OPTIONS + " mount options");
        }
        return options.stream()
                .filter(option -> !isAllowed(option))
                .map(option -> "mount option \"" + cut(option)
                        + "\" is not allowed: only options of ext4 and xfs that name no other device or file are")
                .findFirst();
    }

    private static boolean isAllowed(String option) {
        if (option.length() > MAX_CHARACTERS) {
            return false;
        }
        int equals = option.indexOf('=');
        if (equals < 0) {
            return FLAGS.contains(option);
        }
        return CONTEXT.matcher(option).matches()
                || (KEYS.contains(option.substring(0, equals))
                        && WITH_VALUE.matcher(option).matches());
    }

    private static String cut(String option) {
        return option.length() <= MAX_CHARACTERS ? option : option.substring(0, MAX_CHARACTERS) + "…";
    }
}
