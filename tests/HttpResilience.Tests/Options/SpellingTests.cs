namespace HttpResilience.Tests.Options;

public sealed class SpellingTests
{
    private static readonly string[] RetryKeys =
    [
        "MaxRetryAttempts", "BackoffType", "Delay", "MaxDelay", "BackoffFactor", "UseJitter", "Jitter", "ShouldRetryAfterHeader",
        "MaxRetryAfter",
        "UnsafeMethods", "MaxReplayBodyBytes", "IncludeResponseBody", "Statuses",
    ];

    [Theory]
    [InlineData("MaxRetryAttempt", "MaxRetryAttempts")]
    [InlineData("maxretryattempts", "MaxRetryAttempts")]
    [InlineData("RetryAttempts", "MaxRetryAttempts")]
    [InlineData("BackofType", "BackoffType")]
    [InlineData("BackoffFacter", "BackoffFactor")]
    [InlineData("Dealy", "Delay")]
    [InlineData("DELAYS", "Delay")]
    [InlineData("MaxDelays", "MaxDelay")]
    [InlineData("Jiter", "Jitter")]
    [InlineData("UseJiter", "UseJitter")]
    [InlineData("ShouldRetryAfter", "ShouldRetryAfterHeader")]
    [InlineData("Status", "Statuses")]
    [InlineData("UnsafeMethod", "UnsafeMethods")]
    public void A_misspelt_key_finds_the_nearest(string word, string nearest) => Spelling.Nearest(word, RetryKeys).ShouldBe(nearest);

    [Fact]
    public void Each_key_is_nearest_to_itself_and_to_itself_with_one_letter_wrong()
    {
        foreach (string key in RetryKeys)
        {
            Spelling.Nearest(key, RetryKeys).ShouldBe(key);
            for (int i = 0; i < key.Length; i++)
            {
                Spelling.Nearest(key.Remove(i, 1).Insert(i, "#"), RetryKeys).ShouldBe(key);
                Spelling.Nearest(key.Remove(i, 1), RetryKeys).ShouldBeOneOf(key, "Delay", "Jitter");
                Spelling.Nearest(key.Insert(i, "#"), RetryKeys).ShouldBe(key);
            }
        }
    }

    [Fact]
    public void Each_letter_to_insert_delete_or_replace_counts_one()
    {
        // One letter against two, in each of the three ways.
        Spelling.Nearest("abcd", ["abXY", "abXd"]).ShouldBe("abXd");
        Spelling.Nearest("abcd", ["ab", "abc"]).ShouldBe("abc");
        Spelling.Nearest("abcd", ["abcdXY", "abcdX"]).ShouldBe("abcdX");
        // A replaced letter is one change, not two.
        Spelling.Nearest("kitten", ["kittenXX", "sitten"]).ShouldBe("sitten");
        // "kitten" to "sitting" takes three, to "kittenXXXX" four.
        Spelling.Nearest("kitten", ["kittenXXXX", "sitting"]).ShouldBe("sitting");
        Spelling.Nearest("kitten", ["kittenXX", "sitting"]).ShouldBe("kittenXX");
    }

    [Fact]
    public void Upper_and_lower_case_are_the_same_letter() => Spelling.Nearest("DELAY", ["DAY", "delays"]).ShouldBe("delays");

    [Fact]
    public void Of_two_that_are_as_near_the_first_is_taken() => Spelling.Nearest("ab", ["ac", "ad"]).ShouldBe("ac");

    [Theory]
    [InlineData("")]
    [InlineData("completely different")]
    [InlineData("\u00fc\u4e2d\ud83d\ude00")]
    public void There_is_a_nearest_key_for_any_text(string word) => Spelling.Nearest(word, RetryKeys).ShouldBeOneOf(RetryKeys);

    [Theory]
    [InlineData("BaseAdress", "BaseAddress")]
    [InlineData("Retri", "Retry")]
    [InlineData("POTS", "POST")]
    [InlineData("retry", "Retry")]
    [InlineData("Url", null)]
    [InlineData("BaseUrl", null)]
    [InlineData("Re", null)]
    [InlineData("", null)]
    public void A_word_is_similar_when_two_letters_at_most_and_half_of_it_differ(string word, string? similar) =>
        Spelling.Similar(word, ["Retry", "BaseAddress", "PUT", "POST"]).ShouldBe(similar);

    [Fact]
    public void Two_neighbours_that_are_exchanged_count_one() => Spelling.Nearest("POTS", ["PUT", "POST"]).ShouldBe("POST");

    [Fact]
    public void Nothing_is_similar_to_nothing() => Spelling.Similar("Retry", []).ShouldBeNull();
}
