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
 * node node-1 127.0.0.1 7101        (one line each)
 * end
 * </pre>
 */
public final class AttachmentFiles {
    private static final Logger LOG = LoggerFactory.getLogger(AttachmentFiles.class);
    private static final String HEADER = "gabion-attachment 1";
    private static final String SUFFIX = ".attachment";
    /** Far above what 64 nodes need; a larger file is not ours. */
    private static final long MAX_FILE_BYTES = 64 * 1024;

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
        Path target = file(attachment.volume());
        Path fresh = target.resolveSibling(target.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer content = ByteBuffer.wrap(format(attachment).getBytes(UTF_8));
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
        for (NodeAddress node : attachment.nodes()) {
            line(text, "node", node.node() + " " + node.host() + " " + node.port());
        }
        return text.append("end\n").toString();
    }

    private static void line(StringBuilder text, String key, Object value) {
        text.append(key).append(' ').append(value).append('\n');
    }

    private static Attachment read(Path file) throws IOException {
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
                || !lines.getFirst().equals(HEADER)
                || !lines.getLast().equals("end")) {
            throw new IllegalArgumentException("first line must be \"" + HEADER + "\" and the last one \"end\"");
        }
        Map<String, String> values = new HashMap<>();
        List<NodeAddress> nodes = new ArrayList<>();
        for (String line : lines.subList(1, lines.size() - 1)) {
            String[] words = line.split(" ", -1);
            if (words.length == 4 && words[0].equals("node")) {
                nodes.add(new NodeAddress(new NodeName(words[1]), words[2], Integer.parseInt(words[3])));
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
                nodes);
    }

    private static String value(Map<String, String> values, String key) {
        String value = values.get(key);
        if (value == null) {
            throw new IllegalArgumentException("line \"" + key + "\" is missing");
        }
        return requireNonNull(value);
    }
}
