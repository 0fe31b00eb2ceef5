namespace HttpResilience.Tests.Calls;

/// <summary>The values that features keep with a call.</summary>
public sealed class CallSlotTests
{
    private static readonly CallSlot<string> Name = new();
    private static readonly CallSlot<int> Number = new();
    private static readonly CallFlag First = new();
    private static readonly CallFlag Second = new();

    [Fact]
    public void A_slot_without_a_value_has_the_default_of_its_type()
    {
        using var chain = new Chain();
        using var request = Chain.Get();
        var call = HttpCall.Open(request, chain.State);

        (Name.Get(call), Number.Get(call)).ShouldBe((null, 0));
        call.Slots.ShouldBeNull();
    }

    [Fact]
    public void Each_slot_keeps_its_last_value_for_each_call()
    {
        using var chain = new Chain();
        using var request = Chain.Get();
        using var otherRequest = Chain.Get();
        var (call, other) = (HttpCall.Open(request, chain.State), HttpCall.Open(otherRequest, chain.State));

        Name.Set(call, "first");
        Number.Set(call, 1);
        Name.Set(call, "second");
        Name.Set(other, "other");

        (Name.Get(call), Number.Get(call)).ShouldBe(("second", 1));
        (Name.Get(other), Number.Get(other)).ShouldBe(("other", 0));
    }

    [Fact]
    public void Flags_do_not_affect_each_other()
    {
        using var chain = new Chain();
        using var request = Chain.Get();
        var call = HttpCall.Open(request, chain.State);

        First.Set(call, true);
        Second.Set(call, true);
        First.Set(call, false);

        (First.IsSet(call), Second.IsSet(call)).ShouldBe((false, true));
    }
}
