package io.gabion.e2e;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;

/**
 * What the author and the readers of a WordPress do over HTTP, nothing else.
 *
 * @param address without a slash at its end
 */
public record WordPressSite(ClientPod visitor, String address) {
    private static final Duration ANSWERS = Duration.ofMinutes(2);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Bounds every request. */
    private static final String CURL = "curl -sSL --fail --max-time 60 -b /tmp/cookies ";

    /** Answers the questions of the first visit and logs in. */
    public void install() {
        visitor.run("""
                touch /tmp/cookies
                %1$s -o /tmp/installed -d weblog_title=Stones -d user_name=mason -d admin_password=limestone -d admin_password2=limestone \\
                  -d pw_weak=on -d admin_email=mason@example.com -d blog_public=0 -d language= '%2$s/wp-admin/install.php?step=2'
                grep -q 'Success!' /tmp/installed || { cat /tmp/installed >&2; exit 1; }
                """.formatted(CURL, address));
        logIn();
    }

    private void logIn() {
        visitor.run("""
                curl -sS --fail --max-time 60 -o /dev/null -c /tmp/cookies -b 'wordpress_test_cookie=WP+Cookie+check' \\
                  -d log=mason -d pwd=limestone -d testcookie=1 '%1$s/wp-login.php'
                grep -q wordpress_logged_in /tmp/cookies
                """.formatted(address));
    }

    /** Publishes a post and returns its number. */
    public long post(String title, String content) {
        return send(
                        "posts",
                        "--data-urlencode 'title=" + title + "' --data-urlencode 'content=" + content
                                + "' -d status=publish")
                .path("id")
                .asLong();
    }

    /** Uploads a text file made of random characters and returns its address. */
    public String upload(String name, int bytes) {
        visitor.run("base64 -w 76 < /dev/urandom | head -c " + bytes + " > /tmp/" + name);
        return send(
                        "media",
                        "-H 'Content-Type: text/plain' -H 'Content-Disposition: attachment; filename=" + name
                                + "' --data-binary @/tmp/" + name)
                .path("source_url")
                .asText();
    }

    /** SHA-256 of a file as it was uploaded. */
    public String sumOfOriginal(String name) {
        return visitor.run("sha256sum < /tmp/" + name);
    }

    /** SHA-256 of what is at an address. */
    public String sumOf(String url) {
        return visitor.run(CURL + "-o /tmp/file '" + url + "' && sha256sum < /tmp/file");
    }

    /** The page of a post as readers see it; waits while the site does not answer. */
    public String read(long post) {
        Kubectl.Result[] page = {null};
        Waiting.until(
                "post " + post + " over HTTP",
                ANSWERS,
                () -> {
                    page[0] = visitor.attempt(CURL + "'" + address + "/?p=" + post + "'");
                    return page[0].succeeded();
                },
                () -> String.valueOf(page[0]));
        return page[0].output();
    }

    /** A request of the author who is logged in. */
    private JsonNode send(String collection, String options) {
        String answer = visitor.run("""
                nonce=$(%1$s '%2$s/wp-admin/admin-ajax.php?action=rest-nonce')
                %1$s -H "X-WP-Nonce: $nonce" %4$s '%2$s/index.php?rest_route=/wp/v2/%3$s'
                """.formatted(CURL, address, collection, options));
        try {
            return JSON.readTree(answer);
        } catch (JsonProcessingException e) {
            throw new AssertionError(answer, e);
        }
    }
}
