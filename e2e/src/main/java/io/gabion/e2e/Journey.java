package io.gabion.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A class of tests that needs a cluster. A further tag names it for {@code ./dev e2e --only}; {@code quick} is the part for every change. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("e2e")
@Tag("long")
@Timeout(900)
@ExtendWith(OnKubernetes.class)
public @interface Journey {}
