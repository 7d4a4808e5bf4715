package io.gabion.csi.rpc;

import java.util.Collection;
import java.util.Comparator;

/** The word somebody probably meant: the one with the smallest edit distance, whatever the case of its letters. */
public final class NearestWord {
    /** Longer input is not compared: it is no typing error. */
    private static final int MAX_CHARACTERS = 128;

    private NearestWord() {}

    public static String of(String typed, Collection<String> words) {
        String cut = typed.length() <= MAX_CHARACTERS ? typed : typed.substring(0, MAX_CHARACTERS);
        return words.stream()
                .min(Comparator.<String>comparingInt(word -> distance(cut, word))
                        .thenComparing(word -> word))
                .orElseThrow(() -> new IllegalArgumentException("there are no words"));
    }

    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                boolean same = Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
                int replaced = previous[j - 1] + (same ? 0 : 1);
                current[j] = Math.min(replaced, Math.min(previous[j], current[j - 1]) + 1);
            }
            previous = current;
        }
        return previous[b.length()];
    }
}
