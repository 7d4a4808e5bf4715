package io.gabion.core.session;

/** Takes the effects of a step, in order. */
@FunctionalInterface
public interface SessionEffectSink {
    void emit(SessionEffect effect);
}
