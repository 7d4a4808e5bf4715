package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** A replicated block device. */
@Group(GabionApi.GROUP)
@Version(GabionApi.VERSION)
@Plural("volumes")
@ShortNames("vol")
@Categories(GabionApi.CATEGORY)
@ValidationRule(
        value = "!has(oldSelf.status) || !has(oldSelf.status.config) || (has(self.status) && has(self.status.config))",
        message = "the configuration of a volume is never taken away")
@JsonClassDescription("A replicated block device.")
@AdditionalPrinterColumn(name = "Ready", jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(name = "Reason", jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason")
@AdditionalPrinterColumn(name = "Copies", jsonPath = ".status.copies")
@AdditionalPrinterColumn(name = "Primary", jsonPath = ".status.primaryNode")
@AdditionalPrinterColumn(name = "Size", jsonPath = ".spec.size")
@AdditionalPrinterColumn(name = "Claim", jsonPath = ".status.claim")
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(name = "Pool", jsonPath = ".spec.pool", priority = 1)
@AdditionalPrinterColumn(name = "Allocated", jsonPath = ".status.allocated", priority = 1)
@AdditionalPrinterColumn(
        name = "Epoch",
        jsonPath = ".status.config.epoch",
        priority = 1,
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(name = "Nodes", jsonPath = ".status.replicaNodes", priority = 1)
@AdditionalPrinterColumn(name = "Consumer", jsonPath = ".status.attachedTo", priority = 1)
public final class Volume extends CustomResource<VolumeSpec, VolumeStatus> {
    @Override
    protected VolumeSpec initSpec() {
        return new VolumeSpec();
    }

    /** Never null, so that an object that nobody looked at yet needs no special case. */
    @Override
    protected VolumeStatus initStatus() {
        return new VolumeStatus();
    }
}
