package io.gabion.node.metrics;

/** Every meter of the storage process; a name keeps its meaning for ever. */
public enum Meter {
    IO_BACKEND("gabion_io_backend", "Disk back end in use; always 1.", "backend"),
    NETWORK_BACKEND("gabion_network_backend", "Network back end in use; always 1.", "backend"),

    VOLUME_INFO("gabion_volume_name", "Volumes with a replica on this node; always 1.", "volume", "name", "replica"),
    VOLUME_STATE("gabion_volume_state", "1 for the role that the replica here has.", "volume", "role"),
    VOLUME_EPOCH("gabion_volume_epoch", "Epoch of the configuration that the replica here follows.", "volume"),
    VOLUME_IN_SYNC("gabion_volume_in_sync", "Copies in sync, as the primary knows.", "volume"),
    VOLUME_DESIRED("gabion_volume_desired", "Copies wanted.", "volume"),
    VOLUME_CAPACITY("gabion_volume_capacity_bytes", "Size of the volume.", "volume"),
    VOLUME_ALLOCATED("gabion_volume_allocated_bytes", "Space that the replica takes on this disk.", "volume"),
    VOLUME_SNAPSHOTS("gabion_volume_snapshots", "Snapshots that the replica here holds.", "volume"),
    VOLUME_SNAPSHOT_BYTES(
            "gabion_volume_snapshot_bytes",
            "Part of the allocated space that only snapshots and clones of the volume still need.",
            "volume"),
    VOLUME_STALLED("gabion_volume_stalled", "1 while writes wait at the primary here.", "volume"),
    VOLUME_WRITES_IN_FLIGHT("gabion_volume_writes_in_flight", "Writes under way at the primary here.", "volume"),
    VOLUME_DEGRADED(
            "gabion_volume_degraded_seconds_total",
            "Time in which the primary here had fewer copies than wanted.",
            "volume"),
    VOLUME_IO("gabion_volume_io_seconds", "Client requests at primaries of this node, by phase.", "op", "phase"),

    REPLICATION_LINK_UP("gabion_replication_link_up", "1 while heartbeats of the node arrive.", "peer"),
    REPLICATION_ACK(
            "gabion_replication_ack_seconds",
            "From sending a write to a member until it is durable there (sampled).",
            "peer"),
    FAILOVERS("gabion_failovers_total", "Times that a replica here took over as primary."),
    DROPPED("gabion_members_dropped_total", "Members that primaries here dropped from in-sync sets."),
    STALE_REFUSALS("gabion_stale_refusals_total", "Messages of a lower epoch that were refused."),
    SESSIONS_REFUSED("gabion_sessions_refused_total", "Sessions that were refused."),
    UNAUTHORISED("gabion_unauthorised_messages_total", "Messages for a volume from a node without a placement."),
    PROTOCOL_ERRORS(
            "gabion_protocol_errors_total", "Connections ended for breaking the protocol or refused.", "reason"),
    INVARIANT_VIOLATIONS("gabion_invariant_violations_total", "Replicas that stopped because a rule was broken."),

    REBUILD_COMPARED("gabion_rebuild_compared_bytes", "Compared so far by the resync under way.", "volume"),
    REBUILD_COPIED("gabion_rebuild_copied_bytes", "Copied so far by the resync under way.", "volume"),
    REBUILD_TOTAL("gabion_rebuild_bytes", "To be compared by the resync under way.", "volume"),
    REBUILDS("gabion_rebuilds_total", "Resyncs that ended.", "outcome"),

    DISK_CAPACITY("gabion_disk_capacity_bytes", "Bytes that the disk may use.", "disk"),
    DISK_USED("gabion_disk_used_bytes", "Bytes of live data.", "disk"),
    DISK_RESERVED("gabion_disk_reserved_bytes", "Bytes kept for metadata and cleaning up.", "disk"),
    DISK_FREE("gabion_disk_free_bytes", "Bytes for new data.", "disk"),
    DISK_STATE(
            "gabion_disk_state",
            "1 for the state of the disk: serving, suspect, faulted, refused or checking.",
            "disk",
            "state"),
    DISK_BAD_BLOCKS(
            "gabion_disk_bad_blocks", "Blocks of the disk that are not used any more, as they did not keep data."),
    DISK_READ_ERRORS("gabion_disk_read_errors_total", "Blocks that the disk could not read."),
    DISK_REPAIRED("gabion_disk_repaired_blocks_total", "Blocks for which a good copy was put in place."),
    DISK_ERRORS("gabion_disk_io_errors_total", "Failures that the disk's store reported."),
    READ_FAILURES("gabion_read_failures_total", "Reads that replicas here could not be given."),
    CHECKSUM_ERRORS("gabion_checksum_errors_total", "Blocks on this disk that failed their checksum."),
    DISK_BATCHES("gabion_disk_batches_total", "Batches that were written and synced together."),
    DISK_RECORDS("gabion_disk_records_total", "Log records in these batches."),
    DISK_DATA("gabion_disk_data_bytes_total", "Payload made durable."),
    DISK_WRITTEN("gabion_disk_written_bytes_total", "Bytes written to make it durable."),
    DISK_BATCH("gabion_disk_batch_seconds", "From submitting a batch until it is durable."),
    DISK_PROBE_AGE("gabion_disk_oldest_append_seconds", "Age of the oldest append that is not durable yet."),

    SNAPSHOTS_TAKEN("gabion_snapshots_taken_total", "Snapshots that primaries here took."),
    SNAPSHOTS_DELETED("gabion_snapshots_deleted_total", "Snapshots that primaries here deleted."),
    SNAPSHOT_PAUSE("gabion_snapshot_pause_seconds", "How long writes waited for a snapshot."),
    SCRUB_RATE("gabion_scrub_bytes_per_second", "What the scrub may read in a second; 0 when none runs."),
    SCRUB_PASSES("gabion_scrub_passes_total", "Times that the scrub read everything on the disk."),
    SCRUB_BYTES("gabion_scrub_bytes_total", "Bytes that the scrub read and compared with their checksums."),
    SCRUB_DAMAGED(
            "gabion_scrub_damaged_blocks_total",
            "Blocks that the scrub found damaged; one that stays is counted in every pass."),

    CONFIGURATION_STORE_UP(
            "gabion_configuration_store_up", "1 when the last call to the configuration store was answered."),
    CONFIGURATION_SWAPS_WAITING("gabion_configuration_swaps_waiting", "Swaps that wait for their turn."),
    NOTICES("gabion_notices_total", "Notices by kind.", "notice"),
    CLIENT_CONNECTIONS("gabion_client_connections", "Connections of agents."),
    WIRE_BYTES_SENT("gabion_wire_sent_bytes_total", "Bytes sent before encryption."),
    WIRE_BYTES_RECEIVED("gabion_wire_received_bytes_total", "Bytes received after decryption."),
    WIRE_FLUSHES("gabion_wire_flushes_total", "Write batches handed to the kernel.");

    private final String metric;
    private final String help;
    // Comma-separated, because enums hold immutable values only.
    private final String labels;

    Meter(String metric, String help, String... labels) {
        this.metric = metric;
        this.help = help;
        this.labels = String.join(",", labels);
    }

    /** Name as scraped, but for the suffixes that the format adds to histograms. */
    public String metric() {
        return metric;
    }

    public String help() {
        return help;
    }

    String[] labels() {
        return labels.isEmpty() ? new String[0] : labels.split(",", -1);
    }
}
