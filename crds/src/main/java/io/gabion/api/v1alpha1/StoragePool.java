package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** Disks of nodes that volumes are made from. */
@Group(GabionApi.GROUP)
@Version(GabionApi.VERSION)
@Plural("storagepools")
@ShortNames("spool")
@Categories(GabionApi.CATEGORY)
@JsonClassDescription("Disks of nodes that volumes are made from.")
@AdditionalPrinterColumn(name = "Ready", jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(name = "Reason", jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason")
@AdditionalPrinterColumn(name = "Nodes", jsonPath = ".status.nodes")
@AdditionalPrinterColumn(name = "Disks", jsonPath = ".status.disks")
@AdditionalPrinterColumn(name = "Capacity", jsonPath = ".status.capacity")
@AdditionalPrinterColumn(name = "Free", jsonPath = ".status.free")
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(name = "Provisioned", jsonPath = ".status.provisioned", priority = 1)
@AdditionalPrinterColumn(
        name = "Overcommit",
        jsonPath = ".spec.overcommitPercent",
        priority = 1,
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Reserve",
        jsonPath = ".spec.rebuildReservePercent",
        priority = 1,
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(name = "Domain", jsonPath = ".spec.failureDomainKey", priority = 1)
public final class StoragePool extends CustomResource<StoragePoolSpec, StoragePoolStatus> {
    @Override
    protected StoragePoolSpec initSpec() {
        return new StoragePoolSpec();
    }

    /** Never null, so that an object that nobody looked at yet needs no special case. */
    @Override
    protected StoragePoolStatus initStatus() {
        return new StoragePoolStatus();
    }
}
