package io.gabion.cli.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {
    @ParameterizedTest
    @CsvSource({
        "4096,4096",
        "4KiB,4096",
        "1G,1073741824",
        "1GiB,1073741824",
        "1.5 MiB,1572864",
        "500MB,500000000",
        "2kB,2000",
        "1TiB,1099511627776",
        "0,0"
    })
    void binaryAndDecimalSuffixesAreRead(String text, long bytes) {
        assertThat(ByteSize.parse(text).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "GiB", "-1", "1XB", "1.0000001KiB", "99999999999TiB", "1e9"})
    void everythingElseIsRefused(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aVolumeHasWholeBlocksAndTheNextLargerSizeIsNamed() {
        assertThat(ByteSize.parse("1GiB").ofVolume("--size")).isEqualTo(1 << 30);
        assertThatThrownBy(() -> ByteSize.parse("0").ofVolume("--size")).hasMessageContaining("--size");
        assertThatThrownBy(() -> ByteSize.parse("5000").ofVolume("--size"))
                .hasMessageContaining("--size")
                .hasMessageContaining("8192");
    }

    @Test
    void sizesAreShortForPeople() {
        assertThat(ByteSize.format(0)).isEqualTo("0 B");
        assertThat(ByteSize.format(1536)).isEqualTo("1.5 KiB");
        assertThat(ByteSize.format(1L << 30)).isEqualTo("1 GiB");
    }
}
