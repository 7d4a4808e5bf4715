package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** A volume as it was at one moment. */
@Group(GabionApi.GROUP)
@Version(GabionApi.VERSION)
@Plural("snapshots")
@ShortNames("snap")
@Categories(GabionApi.CATEGORY)
@JsonClassDescription("A volume as it was at one moment.")
@AdditionalPrinterColumn(name = "Ready", jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(name = "Reason", jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason")
@AdditionalPrinterColumn(name = "Volume", jsonPath = ".spec.volume")
@AdditionalPrinterColumn(name = "Size", jsonPath = ".status.sizeBytes", type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
public final class Snapshot extends CustomResource<SnapshotSpec, SnapshotStatus> {
    @Override
    protected SnapshotSpec initSpec() {
        return new SnapshotSpec();
    }

    /** Never null, so that an object that nobody looked at yet needs no special case. */
    @Override
    protected SnapshotStatus initStatus() {
        return new SnapshotStatus();
    }
}
