package io.gabion.simulator;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Runs seeds.
 *
 * <pre>
 * Simulate --seeds N [--from S]   N seeds, one line per failure, a summary
 * Simulate --seed S [--quiet]     one seed, with its whole trace
 * </pre>
 *
 * The exit code is 1 when a rule was broken.
 */
public final class Simulate {
    private Simulate() {}

    /** What came out of one seed. */
    public record Outcome(
            long seed,
            long operations,
            int faults,
            int configurationChanges,
            long virtualNanos,
            long hash,
            List<String> violations) {
        public Outcome {
            violations = List.copyOf(violations);
        }
    }

    /** Runs one random seed to its end. */
    public static Outcome seed(long seed, @Nullable PrintStream print) {
        return run(seed, Swarm.draw(new Dice(~seed)), print);
    }

    /** Runs a seed with a swarm that was not drawn from it. */
    public static Outcome run(long seed, Swarm swarm, @Nullable PrintStream print) {
        Simulation simulation = new Simulation(seed, swarm, print);
        if (print != null) {
            print.println("seed " + seed + " " + swarm);
        }
        simulation.start();
        simulation.runFaults();
        simulation.settle();
        return outcome(seed, simulation);
    }

    /** Sums a simulation up. */
    public static Outcome outcome(long seed, Simulation simulation) {
        return new Outcome(
                seed,
                simulation.completed(),
                simulation.faults(),
                simulation.configuration().changes(),
                simulation.scheduler().nowNanos(),
                simulation.trace().hash(),
                simulation.violations());
    }

    public static void main(String[] arguments) {
        Map<String, String> options = new TreeMap<>();
        for (int i = 0; i < arguments.length; i++) {
            boolean hasValue = i + 1 < arguments.length && !arguments[i + 1].startsWith("--");
            options.put(arguments[i], hasValue ? arguments[i + 1] : "");
            i += hasValue ? 1 : 0;
        }
        boolean good = options.containsKey("--seed")
                ? runOne(Long.parseLong(options.get("--seed")), options.containsKey("--quiet"))
                : runMany(
                        Integer.parseInt(options.getOrDefault("--seeds", "100")),
                        Long.parseLong(options.getOrDefault("--from", "1")));
        System.exit(good ? 0 : 1);
    }

    private static boolean runOne(long seed, boolean quiet) {
        Outcome outcome = seed(seed, quiet ? null : System.out);
        outcome.violations().forEach(text -> System.out.println("VIOLATION " + text));
        System.out.printf(
                "seed %d: %d operations, %d faults, %d configuration changes, %.0f virtual seconds, trace %016x, %d violations%n",
                seed,
                outcome.operations(),
                outcome.faults(),
                outcome.configurationChanges(),
                outcome.virtualNanos() / 1e9,
                outcome.hash(),
                outcome.violations().size());
        return outcome.violations().isEmpty();
    }

    private static boolean runMany(int seeds, long from) {
        long operations = 0;
        long faults = 0;
        long changes = 0;
        double virtualSeconds = 0;
        int failed = 0;
        for (long seed = from; seed < from + seeds; seed++) {
            Outcome outcome = seed(seed, null);
            operations += outcome.operations();
            faults += outcome.faults();
            changes += outcome.configurationChanges();
            virtualSeconds += outcome.virtualNanos() / 1e9;
            if (!outcome.violations().isEmpty()) {
                failed++;
                String first = outcome.violations().getFirst();
                System.out.println("seed " + seed + " FAILED: "
                        + first.lines().limit(3).reduce((a, b) -> a + b).orElse(""));
            }
        }
        System.out.printf(
                "%d seeds, %d operations, %d faults, %d configuration changes, %.0f virtual seconds, %d violations%n",
                seeds, operations, faults, changes, virtualSeconds, failed);
        return failed == 0;
    }
}
