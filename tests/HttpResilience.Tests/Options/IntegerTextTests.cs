namespace HttpResilience.Tests.Options;

/// <summary>How a number that people write with separators, a fraction or a unit is written as an integer.</summary>
public sealed class IntegerTextTests
{
    [Theory]
    [InlineData("3.0", "write 3")]
    [InlineData("3.00", "write 3")]
    [InlineData("1,000", "write 1000")]
    [InlineData("1 000", "write 1000")]
    [InlineData("1'000'000", "write 1000000")]
    [InlineData("2_000_000", "write 2000000")]
    [InlineData("64KB", "write 65536 for 64 KiB")]
    [InlineData("64 KiB", "write 65536 for 64 KiB")]
    [InlineData("10mb", "write 10485760 for 10 MiB")]
    [InlineData("1GB", "write 1073741824 for 1 GiB")]
    [InlineData(" 5 ", null)]
    [InlineData(" 5.0 ", "write 5")]
    [InlineData("007x", null)]
    [InlineData("3", null)]
    [InlineData("3.5", null)]
    // A thousand, or one?
    [InlineData("1.000", null)]
    [InlineData("1,00", null)]
    [InlineData("1,000_000", null)]
    [InlineData("2GB", null)]
    [InlineData("9999999999", null)]
    [InlineData("-5", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("\u0663", null)]
    public void It_is_told(string? text, string? remedy) => IntegerText.Remedy(text, 1, int.MaxValue).ShouldBe(remedy);
}
