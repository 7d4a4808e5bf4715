package io.gabion.process;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** The word somebody probably meant: the one with the smallest edit distance, whatever the case of its letters. */
public final class NearestWord {
    /** Longer input is not compared: it is no typing error. */
    private static final int MAX_CHARACTERS = 128;

    /** So many wrong letters are a typing error in a word of any length. */
    private static final int FEW = 2;

    private NearestWord() {}

    /** The nearest one, however far it is. */
    public static String of(String typed, Collection<String> words) {
        String cut = cut(typed);
        return words.stream()
                .min(Comparator.<String>comparingInt(word -> distance(cut, word))
                        .thenComparing(word -> word))
                .orElseThrow(() -> new IllegalArgumentException("there are no words"));
    }

    /** The nearest one if at least half of it was typed. */
    public static Optional<String> near(String typed, Collection<String> words) {
        String cut = cut(typed);
        return words.isEmpty()
                ? Optional.empty()
                : Optional.of(of(cut, words)).filter(word -> distance(cut, word) <= Math.max(FEW, cut.length() / 2));
    }

    private static String cut(String typed) {
        return typed.length() <= MAX_CHARACTERS ? typed : typed.substring(0, MAX_CHARACTERS);
    }

    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                boolean same = Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
                int changed = diagonal + (same ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
