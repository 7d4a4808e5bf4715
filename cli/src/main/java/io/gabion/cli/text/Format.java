package io.gabion.cli.text;

/** How results are written. */
public enum Format {
    TEXT,
    JSON
}
