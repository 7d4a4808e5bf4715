/** Drives a Kubernetes cluster with Gabion as its users do: by kubectl, from outside. */
@NullMarked
package io.gabion.e2e;

import org.jspecify.annotations.NullMarked;
