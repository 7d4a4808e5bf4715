package io.gabion.core.message;

/**
 * Identity of a client's request within a session generation; the same when the agent sends it again. Numbers rise from 1 and
 * are never re-used in a generation (they carry the agent instance's start in their upper bits, so that a restarted agent
 * does not repeat its predecessor's).
 */
public record RequestId(long generation, long number) implements Comparable<RequestId> {
    /** Of operations that no client asked for. */
    public static final RequestId NONE = new RequestId(0, 0);

    @Override
    public int compareTo(RequestId other) {
        int byGeneration = Long.compare(generation, other.generation);
        return byGeneration != 0 ? byGeneration : Long.compare(number, other.number);
    }
}
