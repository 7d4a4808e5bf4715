package io.gabion.csi;

import io.gabion.csi.kubernetes.KubernetesGround;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;

/** Entry point of the CSI driver's process. */
public final class CsiDriver {
    private static final int EXIT_FAILURE = 1;
    private static final int EXIT_USAGE = 2;

    private CsiDriver() {}

    public static void main(String[] arguments) {
        List<String> words = List.of(arguments);
        if (words.contains("--help") || words.contains("-h")) {
            System.out.println(CsiOptions.USAGE);
            return;
        }
        // A resource of its own name: other processes' jars may lie on the same class path.
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", "logback-csi-driver.xml");
        }
        CsiOptions options;
        try {
            if (words.equals(List.of("--warm-up"))) {
                WarmUp.run();
                System.exit(0);
            }
            options = CsiOptions.parse(words, System.getenv());
        } catch (CsiOptions.UsageException e) {
            System.err.println("gabion-csi-driver: " + e.getMessage());
            System.err.println(CsiOptions.USAGE);
            System.exit(EXIT_USAGE);
            return;
        } catch (IOException e) {
            System.err.println("gabion-csi-driver: " + describe(e));
            System.exit(EXIT_FAILURE);
            return;
        }
        try {
            CsiProcess process = CsiProcess.start(options, waitingFor -> KubernetesGround.open(options, waitingFor));
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(process::close));
            Thread.currentThread().join();
        } catch (IOException | RuntimeException e) {
            System.err.println("gabion-csi-driver: " + describe(e));
            System.exit(EXIT_FAILURE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One line. The messages of some file system errors are nothing but the file's name. */
    private static String describe(Exception failure) {
        String message =
                String.valueOf(failure.getMessage()).lines().findFirst().orElse("failed");
        return switch (failure) {
            case NoSuchFileException _ -> "file " + message + " does not exist";
            case AccessDeniedException _ -> "file " + message + " may not be read or written by this user";
            default -> message;
        };
    }
}
