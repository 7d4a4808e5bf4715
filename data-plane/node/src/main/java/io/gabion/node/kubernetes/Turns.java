package io.gabion.node.kubernetes;

import java.util.ArrayList;
import java.util.List;

/** Takes a part of a list per round, so that those that stay for long do not keep the others from having their turn. */
final class Turns {
    private final int atMost;
    private int begin;

    Turns(int atMost) {
        this.atMost = atMost;
    }

    /** The list may be another one in each round. */
    <T> List<T> next(List<T> all) {
        List<T> taken = new ArrayList<>();
        int count = Math.min(atMost, all.size());
        for (int i = 0; i < count; i++) {
            taken.add(all.get((begin + i) % all.size()));
        }
        begin = all.isEmpty() ? 0 : (begin + count) % all.size();
        return taken;
    }
}
