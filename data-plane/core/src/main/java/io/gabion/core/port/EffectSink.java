package io.gabion.core.port;

/** Takes the effects of a step, in order. */
@FunctionalInterface
public interface EffectSink {
    void emit(Effect effect);
}
