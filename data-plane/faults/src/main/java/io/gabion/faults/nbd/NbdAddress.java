package io.gabion.faults.nbd;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Where an export is served: {@code nbd+unix:///EXPORT?socket=PATH}.
 *
 * @param uri as other NBD tools take it
 * @param socket Unix socket of the server
 * @param export name of the export, may be empty
 */
public record NbdAddress(String uri, Path socket, String export) {
    private static final String SCHEME = "nbd+unix";
    private static final String SOCKET = "socket=";

    /** Takes a URI apart; throws {@link IllegalArgumentException} when it is not of the form above. */
    public static NbdAddress parse(String text) {
        URI uri = URI.create(text.trim());
        String query = uri.getRawQuery();
        if (!SCHEME.equals(uri.getScheme()) || query == null || !query.startsWith(SOCKET)) {
            throw new IllegalArgumentException("not " + SCHEME + ":///EXPORT?" + SOCKET + "PATH: " + text);
        }
        String path = uri.getPath();
        return new NbdAddress(
                text.trim(),
                Path.of(URLDecoder.decode(query.substring(SOCKET.length()), StandardCharsets.UTF_8)),
                path.startsWith("/") ? path.substring(1) : path);
    }
}
