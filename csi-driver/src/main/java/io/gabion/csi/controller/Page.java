package io.gabion.csi.controller;

import io.gabion.csi.rpc.CsiFailure;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;

/**
 * One page of a list in the order of names. The token says after which name to go on, so that volumes made or deleted between
 * two pages make none of the others appear twice or not at all.
 */
record Page<T>(List<T> entries, String nextToken) {
    private static final String TOKEN_PREFIX = "v1:";
    private static final int MAX_TOKEN_CHARACTERS = 1024;

    static <T> Page<T> of(List<T> sorted, Function<T, String> name, int maxEntries, String startingToken) {
        if (maxEntries < 0) {
            throw CsiFailure.invalid("max_entries must not be negative");
        }
        String after = startingToken.isEmpty() ? "" : decode(startingToken);
        List<T> rest =
                sorted.stream().filter(t -> name.apply(t).compareTo(after) > 0).toList();
        if (maxEntries == 0 || rest.size() <= maxEntries) {
            return new Page<>(rest, "");
        }
        List<T> entries = rest.subList(0, maxEntries);
        return new Page<>(entries, encode(name.apply(entries.getLast())));
    }

    private static String encode(String name) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString((TOKEN_PREFIX + name).getBytes(StandardCharsets.UTF_8));
    }

    private static String decode(String token) {
        try {
            if (token.length() <= MAX_TOKEN_CHARACTERS) {
                String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
                if (text.startsWith(TOKEN_PREFIX)) {
                    return text.substring(TOKEN_PREFIX.length());
                }
            }
        } catch (IllegalArgumentException e) {
            throw CsiFailure.aborted(
                    "starting_token is not one of ours (" + e.getMessage() + "); start from the beginning");
        }
        throw CsiFailure.aborted("starting_token is not one of ours; start from the beginning");
    }
}
