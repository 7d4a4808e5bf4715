package io.gabion.csi.fake;

import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.FenceWitness;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A storage node that says what a test wants; at first, that it obeys the record and serves nobody. */
public final class ScriptedWitness implements FenceWitness {
    private final List<Long> asked = new ArrayList<>();
    private Function<VolumeConfig, Testimony> answer = ScriptedWitness::obedient;

    public static Testimony obedient(VolumeConfig config) {
        return new Testimony(true, config.epoch(), config.version(), List.of());
    }

    public synchronized void answer(Function<VolumeConfig, Testimony> now) {
        answer = now;
    }

    public synchronized void fallSilent() {
        answer = _ -> {
            throw new BackendUnavailableException("no answer", null);
        };
    }

    /** Versions of the record at which it was asked. */
    public synchronized List<Long> asked() {
        return List.copyOf(asked);
    }

    @Override
    public synchronized Testimony ask(NodeName node, StoredVolume volume, Duration limit) {
        VolumeConfig config = volume.config().orElseThrow();
        asked.add(config.version());
        return answer.apply(config);
    }
}
