package io.gabion.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The borders between the modules, as docs/architecture.md draws them. Maven scopes keep most; these keep the rest. */
@AnalyzeClasses(packages = "io.gabion", importOptions = ImportOption.DoNotIncludeTests.class)
class ModuleBordersTest {
    @ArchTest
    static final ArchRule modelDependsOnTheJdkOnly = classes()
            .that()
            .resideInAPackage("io.gabion.model..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("io.gabion.model..", "java.lang..", "java.util..", "org.jspecify..");

    @ArchTest
    static final ArchRule coreDependsOnTheModelAndPlainJavaOnly = classes()
            .that()
            .resideInAPackage("io.gabion.core..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "io.gabion.core..",
                    "io.gabion.model..",
                    "java.lang",
                    "java.lang.invoke",
                    "java.lang.runtime",
                    "java.util",
                    "java.util.function",
                    "java.util.stream",
                    "java.util.zip",
                    "java.util.concurrent",
                    "java.util.concurrent.atomic",
                    "java.nio",
                    "org.jspecify..");

    @ArchTest
    static final ArchRule coreReadsNoClock = noClasses()
            .that()
            .resideInAPackage("io.gabion.core..")
            .should()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .dependOnClassesThat()
            .resideInAPackage("java.time..");

    @ArchTest
    static final ArchRule coreStartsNoThreadAndWaitsForNone = noClasses()
            .that()
            .resideInAPackage("io.gabion.core..")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.Thread")
            .orShould()
            .dependOnClassesThat()
            .haveNameMatching("java\\.util\\.concurrent\\.(?!TimeUnit|atomic).*")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.Timer");

    @ArchTest
    static final ArchRule coreDoesNoInputOrOutput = noClasses()
            .that()
            .resideInAPackage("io.gabion.core..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "java.io..", "java.net..", "java.nio.channels..", "java.nio.file..", "io.netty..", "org.rocksdb..");

    @ArchTest
    static final ArchRule coreDoesNotLog = noClasses()
            .that()
            .resideInAPackage("io.gabion.core..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.slf4j..", "java.util.logging..", "java.lang.System$Logger..");

    @ArchTest
    static final ArchRule coreRollsNoDice = noClasses()
            .that()
            .resideInAPackage("io.gabion.core..")
            .should()
            .dependOnClassesThat()
            .haveNameMatching("java\\.util\\.(Random|concurrent\\.ThreadLocalRandom)|java\\.security\\..*")
            .orShould()
            .callMethod(java.util.UUID.class, "randomUUID")
            .orShould()
            .callMethod(Math.class, "random");

    @ArchTest
    static final ArchRule onlyOnePackageKnowsRocksDb = noClasses()
            .that()
            .resideOutsideOfPackage("io.gabion.store.metadata.rocksdb..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.rocksdb..");

    @ArchTest
    static final ArchRule storeKnowsNoNetwork = noClasses()
            .that()
            .resideInAPackage("io.gabion.store..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.netty..", "io.grpc..", "java.net..");

    @ArchTest
    static final ArchRule nettyStaysInWireAndFrontEnds = noClasses()
            .that()
            .resideOutsideOfPackages("io.gabion.wire..", "io.gabion.agent..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.netty..");

    @ArchTest
    static final ArchRule componentsDoNotKnowEachOther = noClasses()
            .that()
            .resideInAPackage("io.gabion.cli..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.gabion.node..", "io.gabion.agent..", "io.gabion.configstore..", "io.gabion.wire..");

    @ArchTest
    static final ArchRule operatorKnowsNoOtherComponent = noClasses()
            .that()
            .resideInAPackage("io.gabion.operator..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.gabion.csi..",
                    "io.gabion.cli..",
                    "io.gabion.node..",
                    "io.gabion.agent..",
                    "io.gabion.core..",
                    "io.gabion.store..",
                    "io.gabion.wire..");

    @ArchTest
    static final ArchRule driverKnowsNoOtherComponent = noClasses()
            .that()
            .resideInAPackage("io.gabion.csi..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.gabion.operator..",
                    "io.gabion.cli..",
                    "io.gabion.node..",
                    "io.gabion.agent..",
                    "io.gabion.core..",
                    "io.gabion.store..",
                    "io.gabion.wire..");

    @ArchTest
    static final ArchRule definitionsKnowTheModelOnly = noClasses()
            .that()
            .resideInAPackage("io.gabion.api..")
            .should()
            .dependOnClassesThat()
            .haveNameMatching("io\\.gabion\\.(?!api|model).*");

    @ArchTest
    static final ArchRule whatEveryProcessNeedsKnowsNone = noClasses()
            .that()
            .resideInAPackage("io.gabion.process..")
            .should()
            .dependOnClassesThat()
            .haveNameMatching("io\\.gabion\\.(?!process).*");

    @ArchTest
    static final ArchRule agentHasNoStore = noClasses()
            .that()
            .resideInAPackage("io.gabion.agent..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.gabion.store..", "io.gabion.node..");

    @ArchTest
    static final ArchRule packagesFormNoCycles =
            slices().matching("io.gabion.(*).(**)").should().beFreeOfCycles();
}
