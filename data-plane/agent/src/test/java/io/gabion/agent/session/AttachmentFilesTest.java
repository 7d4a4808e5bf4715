package io.gabion.agent.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AttachmentFilesTest {
    @TempDir
    Path directory;

    private static Attachment attachment(long generation) {
        return new Attachment(
                new VolumeId(new UUID(3, 4)),
                "Ärger mit/Leer zeichen+",
                generation,
                true,
                1L << 60,
                1 << 30,
                List.of(
                        new NodeAddress(new NodeName("node-1"), "127.0.0.1", 7101),
                        new NodeAddress(new NodeName("node-2"), "::1", 7102)),
                Attachment.DeviceKind.FUSE_LOOP,
                "");
    }

    @Test
    void whatIsStoredIsLoadedAndTheLastOneCounts() throws IOException {
        AttachmentFiles files = new AttachmentFiles(directory);
        files.store(attachment(1));
        files.store(attachment(2));
        assertThat(new AttachmentFiles(directory).load()).containsExactly(attachment(2));
        files.delete(attachment(1).volume());
        assertThat(files.load()).isEmpty();
    }

    @Test
    void whyOneMayNotBeOpenedAgainIsRemembered() throws IOException {
        AttachmentFiles files = new AttachmentFiles(directory);
        files.store(attachment(1).withFailure("another agent\ntook it over: 5%"));
        assertThat(files.load().getFirst().failure()).isEqualTo("another agent took it over: 5%");
    }

    @Test
    void fileOfAnEarlierVersionIsRead() throws IOException {
        AttachmentFiles files = new AttachmentFiles(directory);
        files.store(attachment(1));
        Path file = directory.resolve(attachment(1).volume() + ".attachment");
        Files.writeString(file, Files.readString(file).replace("device fuse-loop\n", ""));
        assertThat(files.load().getFirst().device()).isEqualTo(Attachment.DeviceKind.NBD);
    }

    @Test
    void nodesAreRememberedAndDamageIsSkipped() throws IOException {
        AttachmentFiles files = new AttachmentFiles(directory);
        assertThat(new NodeBook(files).isEmpty()).isTrue();
        assertThat(new NodeBook(files).replace(attachment(1).nodes())).isTrue();
        NodeBook again = new NodeBook(files);
        assertThat(again.all()).isEqualTo(attachment(1).nodes());
        assertThat(again.replace(attachment(1).nodes())).as("nothing new").isFalse();
        assertThat(files.load()).isEmpty();
        Files.writeString(directory.resolve("nodes"), "gabion-nodes 1\nnode x\nend\n");
        assertThat(new NodeBook(files).isEmpty()).isTrue();
    }

    @Test
    void damagedFileIsSkippedAndKept() throws IOException {
        AttachmentFiles files = new AttachmentFiles(directory);
        files.store(attachment(1));
        Path other = directory.resolve("broken.attachment");
        for (String text : List.of(
                "", "gabion-attachment 1\n", "gabion-attachment 1\nvolume x\nend\n", "gabion-attachment 2\nend\n")) {
            Files.writeString(other, text);
            assertThat(files.load()).containsExactly(attachment(1));
            assertThat(other).exists();
        }
    }

    @Test
    void impossibleAttachmentsCannotBeMade() {
        Attachment good = attachment(1);
        assertThatThrownBy(() -> attachment(0)).hasMessageContaining("generation");
        assertThatThrownBy(() -> Attachment.wanted(good.volume(), "a\nb", 1, false, good.nodes(), good.device()))
                .hasMessageContaining("export_name");
        NodeAddress node = good.nodes().getFirst();
        assertThatThrownBy(() -> Attachment.wanted(good.volume(), "a", 1, false, List.of(node, node), good.device()))
                .hasMessageContaining("twice");
    }
}
