using HttpResilience.Operators;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>One word for one thing.</summary>
public sealed class LetterWordsTests
{
    [Fact]
    public void Each_status_has_a_word_and_a_text_of_its_own()
    {
        var statuses = Enum.GetValues<DeadLetterStatus>();

        statuses.Select(LetterWords.Of).ShouldBe(LetterWords.Statuses, ignoreOrder: true);
        statuses.ShouldAllBe(s => LetterWords.Text(s) != $"{s}");
        foreach (var status in statuses)
        {
            LetterWords.TryStatus(LetterWords.Of(status), out var same).ShouldBeTrue();
            same.ShouldBe(status);
        }

        LetterWords.OpenStatuses.Concat(LetterWords.SettledStatuses).ShouldBe(statuses, ignoreOrder: true);
    }

    [Fact]
    public void Each_class_has_a_word_and_a_text_of_its_own()
    {
        var classes = Enum.GetValues<FailureClass>();

        classes.Select(LetterWords.Of).ShouldBeUnique();
        classes.Select(LetterWords.Text).ShouldBeUnique();
        classes.ShouldAllBe(c => LetterWords.Text(c) != $"{c}");
        foreach (var failureClass in classes)
        {
            LetterWords.TryClass(LetterWords.Of(failureClass), out var same).ShouldBeTrue();
            same.ShouldBe(failureClass);
        }

        LetterWords.Of(FailureClass.ServerError).ShouldBe("server-error");
    }

    [Fact]
    public void Each_stop_reason_and_each_state_of_a_circuit_has_a_text_of_its_own()
    {
        Enum.GetValues<StopReason>().ShouldAllBe(r => LetterWords.Text(r) != $"{r}");
        Enum.GetValues<StopReason>().Select(LetterWords.Text).ShouldBeUnique();
        Enum.GetValues<CircuitState>().ShouldAllBe(s => LetterWords.Text(s) != $"{s}");
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(-30, null)]
    [InlineData(-31, 31.0)]
    [InlineData(30, null)]
    [InlineData(31, 0.0)]
    public void A_process_is_there_when_its_time_is_near_to_now(int seconds, double? notSeenFor)
    {
        var now = DateTimeOffset.UnixEpoch;

        InstanceModel.NotSeenFor(now.AddSeconds(seconds), now).ShouldBe(notSeenFor);
    }
}
