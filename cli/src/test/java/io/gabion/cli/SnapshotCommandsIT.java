package io.gabion.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gabion.protocol.control.v1.SnapshotResult;
import org.junit.jupiter.api.Test;

/** What {@code gabion snapshot} makes of what primaries answer. */
class SnapshotCommandsIT extends CommandFixture {
    private FakeSnapshots primary() {
        String node = json("volume", "describe", "data").get("primaryNode").asText();
        return nodes.get(Integer.parseInt(node.substring(1)) - 1).snapshots;
    }

    @Test
    void aSnapshotLivesFromCreationToDeletion() {
        create();
        assertThat(ok("snapshot", "create", "data", "before-upgrade").out()).contains("before-upgrade", "1.1");
        JsonNode unnamed = json("snapshot", "create", "data");
        assertThat(unnamed.get("name").asText()).isEqualTo("s2");
        assertThat(primary().held).containsExactly(1L, 2L);
        JsonNode listed = json("snapshot", "list", "data");
        assertThat(listed).hasSize(2);
        assertThat(listed.get(0).get("name").asText()).isEqualTo("before-upgrade");
        assertThat(listed.get(0).get("state").asText()).isEqualTo("READY");
        assertThat(listed.get(0).get("uniqueBytes").asLong()).isEqualTo(4096);
        assertThat(listed.get(0).get("sharedBytes").asLong()).isEqualTo(8192);
        assertThat(listed.get(0).get("sizeBytes").asLong()).isEqualTo(1 << 20);
        nodes.forEach(node -> node.snapshots.held.add(1L));
        assertThat(ok("snapshot", "verify", "data", "before-upgrade").out()).contains("replicas identical");
        nodes.get(2).content = 9;
        assertThat(run("snapshot", "verify", "data", "before-upgrade").out()).contains("REPLICAS DIFFER");
        assertThat(fails("volume", "delete", "data", "--yes")).contains("before-upgrade", "--with-snapshots");
        ok("snapshot", "delete", "data", "before-upgrade", "--yes");
        assertThat(json("snapshot", "list")).hasSize(1);
        assertThat(json("snapshot", "create", "data", "before-upgrade")
                        .get("number")
                        .asLong())
                .isEqualTo(3);
        ok("volume", "delete", "data", "--yes", "--with-snapshots");
        assertThat(json("snapshot", "list")).isEmpty();
    }

    @Test
    void aNumberThatAChangeOfThePrimaryUsedUpIsReplacedByAnother() {
        create();
        primary().answerNext(SnapshotResult.SNAPSHOT_RESULT_NOT_PRIMARY, "");
        primary().answerNext(SnapshotResult.SNAPSHOT_RESULT_WAITING, "fewer copies in sync than 2");
        primary().answerNext(SnapshotResult.SNAPSHOT_RESULT_NUMBER_USED, "");
        JsonNode taken = json("snapshot", "create", "data", "daily");
        assertThat(taken.get("number").asLong()).isEqualTo(2);
        assertThat(primary().held).containsExactly(2L);
    }

    @Test
    void aRefusedSnapshotLeavesNoName() {
        create();
        primary().answerNext(SnapshotResult.SNAPSHOT_RESULT_REFUSED, "the volume has 1000 snapshots");
        assertThat(fails("snapshot", "create", "data", "daily"))
                .contains("the volume has 1000 snapshots")
                .contains("gabion snapshot list data");
        assertThat(json("snapshot", "list", "data")).isEmpty();
        ok("snapshot", "create", "data", "daily");
    }

    @Test
    void aCloneBeginsWhereItsSnapshotIsHeld() {
        create();
        assertThat(usage("volume", "create", "copy", "--from", "data")).contains("--from", "VOLUME@SNAPSHOT");
        assertThat(fails("volume", "create", "copy", "--from", "data@daily")).contains("no snapshot \"daily\"");
        ok("snapshot", "create", "data", "daily");
        String primary = json("volume", "describe", "data").get("primaryNode").asText();
        assertThat(usage("volume", "create", "copy", "--from", "data@daily", "--size", "4KiB"))
                .contains("--size", "1048576");
        JsonNode clone = json("volume", "create", "copy", "--from", "data@daily", "--size", "2MiB");
        assertThat(clone.get("sizeBytes").asLong()).isEqualTo(2 << 20);
        assertThat(clone.get("replicas").asInt()).isEqualTo(3);
        assertThat(clone.get("inSyncNodes")).hasSize(1);
        assertThat(clone.get("primaryNode").asText()).isEqualTo(primary);
        assertThat(clone.get("epoch").asLong()).isEqualTo(2);
        nodes.forEach(node -> node.snapshots.held.add(1L));
        assertThat(json("volume", "create", "copy2", "--from", "data@daily", "--replicas", "2")
                        .get("inSyncNodes"))
                .hasSize(2);
        nodes.forEach(node -> node.snapshots.held.clear());
        assertThat(fails("volume", "create", "copy3", "--from", "data@daily")).contains("n1 does not hold it");
    }

    @Test
    void aSnapshotWithoutANameIsListedAndDeletedByItsNumber() {
        create();
        ok("snapshot", "create", "data", "daily");
        ok("snapshot", "create", "data", "weekly");
        primary().held.remove(1L);
        assertThat(json("snapshot", "list", "data").get(0).get("state").asText())
                .isEqualTo("MISSING");
        ok("snapshot", "delete", "data", "--number", "2", "--yes");
        primary().held.add(2L);
        JsonNode nameless = json("snapshot", "list", "data").get(1);
        assertThat(nameless.get("name").isNull()).isTrue();
        assertThat(nameless.get("number").asLong()).isEqualTo(2);
        ok("snapshot", "delete", "data", "--number", "2", "--yes");
        assertThat(primary().held).isEmpty();
    }

    @Test
    void badInputIsAnsweredInOneLineThatNamesArgumentAndRemedy() {
        create();
        assertThat(fails("snapshot", "create", "dta")).contains("\"dta\" does not exist", "data");
        assertThat(usage("snapshot", "create", "data", "No_Good")).contains("NAME", "a-z");
        ok("snapshot", "create", "data", "daily");
        assertThat(fails("snapshot", "create", "data", "daily")).contains("exists already", "another name");
        assertThat(fails("snapshot", "delete", "data", "dayly", "--yes")).contains("dayly", "daily");
        assertThat(usage("snapshot", "delete", "data", "daily")).contains("--yes");
        assertThat(usage("snapshot", "delete", "data", "--yes")).contains("NAME", "--number");
        assertThat(fails("snapshot", "delete", "data", "--number", "7", "--yes"))
                .contains("--number", "highest");
        assertThat(fails("snapshot", "verify", "data", "dayly")).contains("daily");
        assertThat(usage("snapshot", "crate")).contains("mean create?");
        assertThat(ok("volume", "describe", "data").out()).doesNotContain("snapshots ");
    }
}
