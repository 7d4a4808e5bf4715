package io.gabion.operator.cluster;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether two versions may run together: upgrades go from one minor version to the next, the operator first. Pure. */
final class VersionSkew {
    private static final Pattern VERSION = Pattern.compile("(\\d{1,6})\\.(\\d{1,6})(?:[.-].*)?");

    private VersionSkew() {}

    private record Line(int major, int minor) {
        static Optional<Line> of(String version) {
            Matcher matcher = VERSION.matcher(version);
            return matcher.matches()
                    ? Optional.of(new Line(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))))
                    : Optional.empty();
        }
    }

    /** What is wrong with a storage node of that version under this operator; empty when nothing is, or nobody can tell. */
    static Optional<String> between(String operator, String node) {
        Optional<Line> ours = Line.of(operator);
        Optional<Line> theirs = Line.of(node);
        if (ours.isEmpty() || theirs.isEmpty()) {
            return Optional.empty();
        }
        Line a = ours.get();
        Line b = theirs.get();
        if (b.major() > a.major() || (b.major() == a.major() && b.minor() > a.minor())) {
            return Optional.of("the storage node runs " + node + ", newer than the operator's " + operator
                    + "; upgrade the chart to that version");
        }
        if (b.major() < a.major() || a.minor() - b.minor() > 1) {
            return Optional.of("the storage node runs " + node + ", too old for the operator's " + operator
                    + "; upgrades go one minor version at a time");
        }
        return Optional.empty();
    }
}
