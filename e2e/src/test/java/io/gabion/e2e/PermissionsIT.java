package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each component may do on the live cluster is what docs/kubernetes/permissions.md says, no more and no less. */
@Journey
@Tag("refusals")
class PermissionsIT {
    private static final Path PAGE = Path.of("..", "docs", "kubernetes", "permissions.md");
    private static final String OTHER_NAMESPACE = "default";
    /** A line of {@code kubectl auth can-i --list}: resources, paths, names, verbs. */
    private static final Pattern LINE = Pattern.compile("^(\\S*) +\\[(.*?)] +\\[(.*?)] +\\[(.*?)]$");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gabion-operator",
                "gabion-data-plane",
                "gabion-agent",
                "gabion-csi-controller",
                "gabion-csi-node"
            })
    void aServiceAccountMayDoWhatTheTableSays(String account, Workspace workspace) throws IOException {
        Kubectl kubectl = workspace.cluster().kubectl();
        for (String namespace : List.of(Cluster.GABION_NAMESPACE, OTHER_NAMESPACE)) {
            Set<String> may = rights(kubectl, Cluster.GABION_NAMESPACE + ":" + account, namespace);
            may.removeAll(rights(kubectl, OTHER_NAMESPACE + ":nobody", namespace));

            assertThat(may)
                    .as("%s in namespace %s", account, namespace)
                    .isEqualTo(table(account, namespace.equals(Cluster.GABION_NAMESPACE)));
        }
    }

    @Test
    void noRuleHasAWildcard(Workspace workspace) {
        Kubectl kubectl = workspace.cluster().kubectl();
        int rules = 0;
        for (JsonNode role : kubectl.get("clusterroles,roles", "-A", "-l", "app.kubernetes.io/name=gabion")
                .path("items")) {
            for (JsonNode rule : role.path("rules")) {
                rules++;
                assertThat(rule.toString())
                        .as("a rule of %s", role.path("metadata").path("name"))
                        .doesNotContain("*")
                        .doesNotContain("nonResourceURLs");
            }
        }
        assertThat(rules).isGreaterThan(20);
    }

    @Test
    void noRoleOfOthersIsBoundToAComponent(Workspace workspace) {
        Set<String> strangers = new TreeSet<>();
        for (JsonNode binding : workspace
                .cluster()
                .kubectl()
                .get("clusterrolebindings,rolebindings", "-A")
                .path("items")) {
            for (JsonNode subject : binding.path("subjects")) {
                if (subject.path("namespace").asText().equals(Cluster.GABION_NAMESPACE)
                        && !binding.path("roleRef").path("name").asText().startsWith("gabion-")) {
                    strangers.add(binding.path("metadata").path("name").asText());
                }
            }
        }
        assertThat(strangers).isEmpty();
    }

    /** {@code RESOURCE.GROUP NAME VERB}, one for each. */
    private static Set<String> rights(Kubectl kubectl, String account, String namespace) {
        Set<String> rights = new TreeSet<>();
        String list = kubectl.run(
                "auth",
                "can-i",
                "--list",
                "--no-headers",
                "--as",
                "system:serviceaccount:" + account,
                "--namespace",
                namespace);
        for (String line : list.lines().toList()) {
            Matcher cells = LINE.matcher(line);
            assertThat(cells.matches()).as(line).isTrue();
            for (String verb : cells.group(4).split(" ", -1)) {
                for (String name : cells.group(3).isEmpty()
                        ? new String[] {"all"}
                        : cells.group(3).split(" ", -1)) {
                    rights.add(cells.group(1) + cells.group(2) + " " + name + " " + verb);
                }
            }
        }
        return rights;
    }

    private static Set<String> table(String account, boolean ownNamespace) throws IOException {
        Set<String> rights = new TreeSet<>();
        String page = Files.readString(PAGE);
        int begin = page.indexOf("## " + account + "\n");
        for (String line : page.substring(begin, page.indexOf("\n## ", begin + 1))
                .lines()
                .filter(line -> line.startsWith("| `"))
                .toList()) {
            String[] cells = line.replace("`", "").split(" *\\| *", -1);
            if (!ownNamespace && cells[5].equals("namespace")) {
                continue;
            }
            List<String> resources = new ArrayList<>();
            for (String resource : cells[2].split(", ", -1)) {
                // The group stands before the part of a resource, as kubectl writes it.
                String group = cells[1].equals("core") ? "" : "." + cells[1];
                int part = resource.indexOf('/');
                resources.add(
                        part < 0 ? resource + group : resource.substring(0, part) + group + resource.substring(part));
            }
            for (String resource : resources) {
                for (String name : cells[3].split(", ", -1)) {
                    for (String verb : cells[4].split(", ", -1)) {
                        rights.add(resource + " " + name + " " + verb);
                    }
                }
            }
        }
        assertThat(rights).as("rows of %s in %s", account, PAGE).isNotEmpty();
        return rights;
    }
}
