package io.gabion.agent.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Attachments on disk, so that a restarted agent serves what its predecessor served: one small text file per volume, replaced
 * atomically.
 *
 * <pre>
 * gabion-attachment 1
 * volume 5f0c...
 * export data%2Fone
 * generation 3
 * read-only false
 * first-request 1866...
 * size 1073741824
 * device fuse-loop                  (nbd where the line is missing)
 * failure taken+over                (only of one that may not be opened again)
 * node node-1 127.0.0.1 7101        (one line each)
 * end
 * </pre>
 */
public final class AttachmentFiles {
    private static final Logger LOG = LoggerFactory.getLogger(AttachmentFiles.class);
    private static final String HEADER = "gabion-attachment 1";
    private static final String SUFFIX = ".attachment";
    private static final String NODES_HEADER = "gabion-nodes 1";
    private static final String NODES_FILE = "nodes";
    /** Above what a thousand nodes need; a larger file is not ours. */
    private static final long MAX_FILE_BYTES = 512 * 1024;

    private final Path directory;

    /** Makes the directory where it is missing. */
    public AttachmentFiles(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
    }

    /** What was stored. A file that cannot be understood is left alone, logged, and skipped. */
    public List<Attachment> load() throws IOException {
        List<Attachment> result = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            for (Path file : files) {
                try {
                    result.add(read(file));
                } catch (IllegalArgumentException e) {
                    LOG.error("attachment file {} is damaged and was skipped: {}", file, e.getMessage());
                }
            }
        }
        return result;
    }

    public void store(Attachment attachment) throws IOException {
        replace(file(attachment.volume()), format(attachment));
    }

    private void replace(Path target, String text) throws IOException {
        Path fresh = target.resolveSibling(target.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer content = ByteBuffer.wrap(text.getBytes(UTF_8));
            while (content.hasRemaining()) {
                channel.write(content);
            }
            channel.force(true);
        }
        Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Remembers where the cluster's nodes are, in a file of the same form that holds nothing but nodes. */
    void storeNodes(List<NodeAddress> nodes) throws IOException {
        StringBuilder text = new StringBuilder(NODES_HEADER).append('\n');
        nodes.forEach(node -> line(text, node));
        replace(directory.resolve(NODES_FILE), text.append("end\n").toString());
    }

    /** What was stored last; nothing where that cannot be understood. */
    List<NodeAddress> loadNodes() throws IOException {
        Path file = directory.resolve(NODES_FILE);
        List<NodeAddress> result = new ArrayList<>();
        if (Files.exists(file)) {
            try {
                for (String line : lines(file, NODES_HEADER)) {
                    result.add(node(line.split(" ", -1)));
                }
            } catch (IllegalArgumentException e) {
                LOG.error("file {} is damaged and was skipped: {}", file, e.getMessage());
                return List.of();
            }
        }
        return result;
    }

    public void delete(VolumeId volume) throws IOException {
        Files.deleteIfExists(file(volume));
    }

    private Path file(VolumeId volume) {
        return directory.resolve(volume + SUFFIX);
    }

    private static String format(Attachment attachment) {
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        line(text, "volume", attachment.volume());
        line(text, "export", URLEncoder.encode(attachment.exportName(), UTF_8));
        line(text, "generation", attachment.generation());
        line(text, "read-only", attachment.readOnly());
        line(text, "first-request", attachment.firstRequestNumber());
        line(text, "size", attachment.sizeBytes());
        line(text, "device", attachment.device().text());
        if (!attachment.failure().isEmpty()) {
            line(text, "failure", URLEncoder.encode(attachment.failure(), UTF_8));
        }
        for (NodeAddress node : attachment.nodes()) {
            line(text, node);
        }
        return text.append("end\n").toString();
    }

    private static void line(StringBuilder text, NodeAddress node) {
        line(text, "node", node.node() + " " + node.host() + " " + node.port());
    }

    private static NodeAddress node(String[] words) {
        if (words.length != 4 || !words[0].equals("node")) {
            throw new IllegalArgumentException("line \"" + String.join(" ", words) + "\"");
        }
        return new NodeAddress(new NodeName(words[1]), words[2], Integer.parseInt(words[3]));
    }

    private static void line(StringBuilder text, String key, Object value) {
        text.append(key).append(' ').append(value).append('\n');
    }

    /** All but the first and the last one. */
    private static List<String> lines(Path file, String header) throws IOException {
        if (Files.size(file) > MAX_FILE_BYTES) {
            throw new IllegalArgumentException("it is larger than " + MAX_FILE_BYTES + " bytes");
        }
        List<String> lines;
        try {
            lines = Files.readAllLines(file, UTF_8);
        } catch (NoSuchFileException gone) {
            throw new IllegalArgumentException("it vanished", gone);
        }
        if (lines.size() < 2
                || !lines.getFirst().equals(header)
                || !lines.getLast().equals("end")) {
            throw new IllegalArgumentException("first line must be \"" + header + "\" and the last one \"end\"");
        }
        return lines.subList(1, lines.size() - 1);
    }

    private static Attachment read(Path file) throws IOException {
        Map<String, String> values = new HashMap<>();
        List<NodeAddress> nodes = new ArrayList<>();
        for (String line : lines(file, HEADER)) {
            String[] words = line.split(" ", -1);
            if (words.length == 4 && words[0].equals("node")) {
                nodes.add(node(words));
            } else if (words.length == 2) {
                values.put(words[0], words[1]);
            } else {
                throw new IllegalArgumentException("line \"" + line + "\"");
            }
        }
        return new Attachment(
                VolumeId.of(value(values, "volume")),
                URLDecoder.decode(value(values, "export"), UTF_8),
                Long.parseLong(value(values, "generation")),
                Boolean.parseBoolean(value(values, "read-only")),
                Long.parseLong(value(values, "first-request")),
                Long.parseLong(value(values, "size")),
                nodes,
                Attachment.DeviceKind.of(values.getOrDefault("device", Attachment.DeviceKind.NBD.text())),
                URLDecoder.decode(values.getOrDefault("failure", ""), UTF_8));
    }

    private static String value(Map<String, String> values, String key) {
        String value = values.get(key);
        if (value == null) {
            throw new IllegalArgumentException("line \"" + key + "\" is missing");
        }
        return requireNonNull(value);
    }
}
