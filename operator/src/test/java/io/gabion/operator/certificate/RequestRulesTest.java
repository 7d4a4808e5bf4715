package io.gabion.operator.certificate;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.model.ClusterId;
import io.gabion.operator.real.Requests;
import java.security.KeyPair;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestRulesTest {
    private static final ClusterId CLUSTER = new ClusterId(UUID.randomUUID());
    private static final KeyPair KEYS = Requests.keyPair("secp256r1");
    private static final String ACCOUNTS = "system:serviceaccount:gabion-system:";
    private static final List<String> TLS = List.of("digital signature", "client auth", "server auth");

    private final RequestRules rules = new RequestRules(CLUSTER, "gabion-system");

    private RequestRules.Answer judge(String user, List<String> nodes, List<String> usages, String pem) {
        return rules.judge(new RequestRules.Asked(GabionApi.SIGNER_NAME, user, nodes, usages, pem));
    }

    private static String request(String subject) {
        return Requests.pem(subject, KEYS, KEYS);
    }

    @ParameterizedTest
    @CsvSource({
        "gabion-data-plane,     n1, 'O=node,CN=n1',                        node/n1",
        "gabion-data-plane,     n1, 'CN=n1,O=node',                        node/n1",
        "gabion-agent,          n1, 'O=agent,CN=n1',                       agent/n1",
        "gabion-csi-controller, n1, 'O=csi-controller,CN=gabion-csi-controller', csi-controller/gabion-csi-controller",
    })
    void aComponentGetsACertificateForItself(String account, String node, String subject, String identity) {
        assertThat(judge(ACCOUNTS + account, List.of(node), TLS, request(subject)))
                .isInstanceOfSatisfying(RequestRules.Answer.Granted.class, granted -> {
                    assertThat(granted.identity()).hasToString("spiffe://" + CLUSTER + "/" + identity);
                    assertThat(granted.key()).isEqualTo(KEYS.getPublic());
                });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        gabion-data-plane     | n1 | O=node,CN=n2                    | the subject must be CN=n1, O=node
        gabion-data-plane     | n1 | O=operator,CN=n1                | the subject must be CN=n1, O=node
        gabion-data-plane     | n1 | O=node,CN=n1,CN=n2              | the subject must be CN=n1, O=node
        gabion-data-plane     | n1 | O=node+CN=n1                    | the subject must be CN=n1, O=node
        gabion-data-plane     | n1 | CN=n1                           | the subject must be CN=n1, O=node
        gabion-agent          | n1 | O=node,CN=n1                    | the subject must be CN=n1, O=agent
        gabion-csi-controller | n1 | O=operator,CN=gabion-operator   | the subject must be CN=gabion-csi-controller
        gabion-csi-controller | n1 | O=operator,CN=gabion-csi-controller | the subject must be CN=gabion-csi-controller, O=csi-controller
        gabion-csi-node       | n1 | O=node,CN=n1                    | gets no certificate
        default               | n1 | O=node,CN=n1                    | gets no certificate
        """)
    void noComponentGetsAnothersCertificate(String account, String node, String subject, String reason) {
        assertDenied(judge(ACCOUNTS + account, List.of(node), TLS, request(subject)), reason);
    }

    @Test
    void withoutExactlyOneNodeInTheTokenThereIsNoCertificateForANode() {
        assertDenied(
                judge(ACCOUNTS + "gabion-data-plane", List.of(), TLS, request("O=node,CN=n1")), "gets no certificate");
        assertDenied(
                judge(ACCOUNTS + "gabion-data-plane", List.of("n1", "n2"), TLS, request("O=node,CN=n1")),
                "gets no certificate");
    }

    @ParameterizedTest
    @CsvSource({
        "system:serviceaccount:other:gabion-data-plane",
        "system:serviceaccount:gabion-system:gabion-data-plane:x",
        "system:node:n1",
        "kubernetes-admin"
    })
    void othersGetNone(String user) {
        assertDenied(judge(user, List.of("n1"), TLS, request("O=node,CN=n1")), "gets no certificate");
    }

    @Test
    void onlyKeysAndUsagesForTlsAreSigned() {
        KeyPair large = Requests.keyPair("secp384r1");
        String user = ACCOUNTS + "gabion-data-plane";
        List<String> node = List.of("n1");
        assertDenied(judge(user, node, TLS, Requests.pem("O=node,CN=n1", large, large)), "ECDSA P-256");
        assertDenied(
                judge(user, node, List.of("cert sign"), request("O=node,CN=n1")), "usage \"cert sign\" is not for TLS");
        KeyPair other = Requests.keyPair("secp256r1");
        assertDenied(judge(user, node, TLS, Requests.pem("O=node,CN=n1", KEYS, other)), "not signed with its own key");
        assertDenied(judge(user, node, TLS, "nothing"), "there is no PEM block");
        assertDenied(
                judge(
                        user,
                        node,
                        TLS,
                        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"),
                "cannot be read");
    }

    private static void assertDenied(RequestRules.Answer answer, String reason) {
        assertThat(answer)
                .isInstanceOfSatisfying(RequestRules.Answer.Denied.class, denied -> assertThat(denied.reason())
                        .contains(reason));
    }
}
