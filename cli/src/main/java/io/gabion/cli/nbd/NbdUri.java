package io.gabion.cli.nbd;

import io.gabion.cli.text.CommandFailure;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** {@code nbd+unix:///EXPORT?socket=PATH}. */
public record NbdUri(Path socket, String export) {
    private static final String SOCKET = "socket=";

    /** Throws {@link CommandFailure} when the text is another kind of URI. */
    public static NbdUri parse(String text) {
        try {
            URI uri = new URI(text);
            String query = uri.getRawQuery();
            String path = uri.getPath();
            if ("nbd+unix".equals(uri.getScheme()) && query != null && query.startsWith(SOCKET) && path != null) {
                String socket = URLDecoder.decode(query.substring(SOCKET.length()), StandardCharsets.UTF_8);
                return new NbdUri(Path.of(socket), path.startsWith("/") ? path.substring(1) : path);
            }
        } catch (URISyntaxException e) {
            throw new CommandFailure("\"" + text + "\" is not an NBD URI: " + e.getMessage(), e);
        }
        throw new CommandFailure("\"" + text + "\" is not of the form nbd+unix:///EXPORT?socket=PATH");
    }
}
