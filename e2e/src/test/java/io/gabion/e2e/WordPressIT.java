package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A WordPress and its MariaDB, each on a claim, are killed and come up on other nodes: what was published is there. */
@Journey
@Tag("wordpress")
class WordPressIT {
    private static final int MOVES = 2;
    private static final int UPLOADED_BYTES = 1 << 20;
    private static final String PASSWORD = "stones";

    /** Something that readers can see. */
    private record Published(long post, String words, String file, String sum) {}

    @Test
    void aPostSurvivesThatBothPodsAreKilledAndMoved(Workspace workspace) {
        List<String> nodes = workspace.cluster().nodes();
        Application database = database(workspace);
        Application site = site(workspace);
        List<Published> published = new ArrayList<>();
        database.start(nodes.get(0));
        site.start(nodes.get(1));
        WordPressSite visitors = new WordPressSite(
                ClientPod.start(workspace, "visitor", Images.of("tools")), "http://" + site.name() + ":" + site.port());
        visitors.install();
        for (int move = 1; move <= MOVES; move++) {
            published.add(publish(visitors, move));
            String databaseNode = nodes.get((2 * move) % nodes.size());
            String siteNode = nodes.get((2 * move + 1) % nodes.size());
            Duration away = move(database, databaseNode, site, siteNode, visitors, published);
            System.out.printf(
                    "[gabion] wordpress: move %d, database to %s and site to %s: post read again after %d s%n",
                    move, databaseNode, siteNode, away.toSeconds());
        }
        String checked =
                database.run("mariadb-check --no-defaults --socket=/tmp/mariadb.sock --user=wordpress --password="
                        + PASSWORD + " --extended wordpress");
        assertThat(checked.lines())
                .as("tables as MariaDB finds them")
                .isNotEmpty()
                .allMatch(line -> line.endsWith("OK"));
        assertThat(database.log()).doesNotContainPattern("\\[ERROR\\]");
        System.out.printf(
                "[gabion] wordpress: %d tables OK, %d posts and files as published%n",
                checked.lines().count(), MOVES);
    }

    private static Published publish(WordPressSite site, int move) {
        String words = "Every stone of wall " + move + " stays where it was laid.";
        long post = site.post("Wall " + move, words);
        String name = "wall-" + move + ".txt";
        String file = site.upload(name, UPLOADED_BYTES);
        assertThat(site.read(post)).contains(words);
        return new Published(post, words, file, site.sumOfOriginal(name));
    }

    /** Kills both and returns how long it took until readers saw everything again. */
    private static Duration move(
            Application database,
            String databaseNode,
            Application site,
            String siteNode,
            WordPressSite visitors,
            List<Published> published) {
        assertThat(database.node()).isNotEqualTo(databaseNode);
        assertThat(site.node()).isNotEqualTo(siteNode);
        database.place(databaseNode);
        site.place(siteNode);
        long start = System.nanoTime();
        database.kill();
        site.kill();
        database.awaitReady(databaseNode);
        site.awaitReady(siteNode);
        for (Published one : published) {
            assertThat(visitors.read(one.post)).contains(one.words);
            assertThat(visitors.sumOf(one.file)).as(one.file).isEqualTo(one.sum);
        }
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private static Application database(Workspace workspace) {
        return new Application(
                workspace.claim("database", "gabion-replicated", "1Gi"),
                "mariadb",
                Images.of("mariadb"),
                7002,
                3306,
                Map.of("MARIADB_DATABASE", "wordpress", "MARIADB_USER", "wordpress", "MARIADB_PASSWORD", PASSWORD));
    }

    private static Application site(Workspace workspace) {
        return new Application(
                workspace.claim("site", "gabion-replicated", "1Gi"),
                "wordpress",
                Images.of("wordpress"),
                33,
                8080,
                Map.of(
                        "WORDPRESS_DB_HOST", "mariadb",
                        "WORDPRESS_DB_NAME", "wordpress",
                        "WORDPRESS_DB_USER", "wordpress",
                        "WORDPRESS_DB_PASSWORD", PASSWORD));
    }
}
