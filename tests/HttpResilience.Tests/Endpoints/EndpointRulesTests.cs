namespace HttpResilience.Tests.Endpoints;

public sealed class EndpointRulesTests
{
    [Theory]
    [InlineData(0, -1, "0 1 2 3")]
    [InlineData(0b0001, 0, "1 2 3 0")]
    [InlineData(0b0010, 1, "0 2 3 1")]
    [InlineData(0b0101, 2, "1 3 0 2")]
    [InlineData(0b1111, 3, "0 1 2 3")]
    [InlineData(0b1111, 0, "1 2 3 0")]
    public void Ordered_prefers_the_first_that_was_not_tried_and_the_last_one_comes_last(int tried, int last, string expected) =>
        string.Join(' ', Order(Policy(EndpointMode.Ordered, 1, 1, 1, 1), tried, last, position: 0.7)).ShouldBe(expected);

    [Theory]
    [InlineData(0.0, "0 1 2")]
    [InlineData(0.49, "0 2 1")]
    [InlineData(0.5, "1 0 2")]
    [InlineData(0.74, "1 2 0")]
    [InlineData(0.75, "2 0 1")]
    [InlineData(0.99, "2 1 0")]
    public void Weighted_draws_by_weight_and_the_rest_of_the_draw_decides_about_the_next(double position, string expected) =>
        string.Join(' ', Order(Policy(EndpointMode.Weighted, 2, 1, 1), 0, -1, position)).ShouldBe(expected);

    [Fact]
    public void Weighted_prefers_what_was_not_tried()
    {
        for (double position = 0; position < 1; position += 0.05)
            Order(Policy(EndpointMode.Weighted, 1000, 1, 1), 0b001, 0, position)[^1].ShouldBe(0);
    }

    [Theory]
    [InlineData("1 1 1")]
    [InlineData("7 2 1")]
    [InlineData("1000 100 1")]
    [InlineData("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1")]
    public void The_rest_of_a_draw_is_spread_by_weight_too(string weights)
    {
        int[] shares = [.. weights.Split(' ').Select(int.Parse)];
        var policy = Policy(EndpointMode.Weighted, shares);
        const int Draws = 1_000_000;
        int[] second = new int[shares.Length];

        for (int draw = 0; draw < Draws; draw++)
            second[Order(policy, 0b1, 0, (draw + 0.5) / Draws)[0]]++;

        for (int index = 1; index < shares.Length; index++)
        {
            double expected = (double)Draws * shares[index] / (shares.Sum() - shares[0]);
            second[index].ShouldBeInRange((int)(expected * 0.98) - 1, (int)(expected * 1.02) + 1);
        }
    }

    [Theory]
    [InlineData(true, false, true, true)]
    [InlineData(false, true, true, true)]
    [InlineData(false, false, true, false)]
    [InlineData(false, false, false, true)]
    public void A_call_that_may_have_been_processed_stays_where_its_key_is_known(
        bool sharesKeys, bool isIdempotent, bool mayHaveBeenProcessed, bool mayMove) =>
        EndpointRules.MayMove(Policy(EndpointMode.Ordered, sharesKeys, [1, 1]), isIdempotent, mayHaveBeenProcessed).ShouldBe(mayMove);

    [Theory]
    [InlineData("https://eu.test", "https://api.test/v1/a?b=c#d", "/v1/", "https://eu.test/v1/a?b=c#d")]
    [InlineData("https://eu.test/", "https://api.test/v1/a", null, "https://eu.test/v1/a")]
    [InlineData("https://eu.test:8443/v2/", "https://api.test/v1/a?b=c", "/v1/", "https://eu.test:8443/v2/a?b=c")]
    [InlineData("https://eu.test/v2", "https://api.test/v1/a", "/v1/", "https://eu.test/v2/a")]
    [InlineData("https://eu.test/v2/", "https://api.test/other/a", "/v1/", "https://eu.test/other/a")]
    [InlineData("https://eu.test/v2/", "https://api.test/v10/a", "/v1", "https://eu.test/v10/a")]
    [InlineData("https://eu.test/v2", "https://api.test/v1?q=1", "/v1", "https://eu.test/v2/?q=1")]
    [InlineData("https://eu.test/v2", "https://api.test/v1", "/v1/", "https://eu.test/v2/")]
    [InlineData("https://eu.test/v2/", "https://api.test/v1//a", "/v1/", "https://eu.test/v2//a")]
    [InlineData("https://eu.test/v2/", "https://us.test/v3/a", "/v3/", "https://eu.test/v2/a")]
    [InlineData("https://eu.test/v2/", "https://api.test/a", null, "https://eu.test/a")]
    [InlineData("https://eu.test/v2/", "https://api.test/a", "/", "https://eu.test/v2/a")]
    [InlineData("http://[::1]:5000/", "https://api.test/a%2Fb/c%20d?q=%C3%A9", "/", "http://[::1]:5000/a%2Fb/c%20d?q=%C3%A9")]
    [InlineData("https+http://catalog/v2/", "https://api.test/v1/", "/v1/", "https+http://catalog/v2/")]
    public void The_address_of_the_endpoint_takes_the_place_of_the_base_address(
        string endpoint, string asked, string? basePath, string sent) =>
        EndpointRules.UriAt(new(new(endpoint), 1), new(asked), basePath).OriginalString.ShouldBe(sent);

    [Fact]
    public void Every_order_is_a_permutation_whose_groups_are_in_their_places()
    {
        int seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage("seed {0}", seed);
        var random = new Random(seed);
        for (int i = 0; i < 10_000; i++)
        {
            int count = random.Next(1, EndpointsOptions.MaxUris + 1);
            var mode = random.Next(2) == 0 ? EndpointMode.Ordered : EndpointMode.Weighted;
            var policy = Policy(mode, [.. Enumerable.Range(0, count).Select(_ => random.Next(1, random.Next(2) == 0 ? 3 : 1_000_000))]);
            int tried = random.Next(1 << count - 1) | (count > 1 ? 0 : 1);
            int[] among = [.. Enumerable.Range(0, count).Where(index => (tried & (1 << index)) != 0)];
            int last = among.Length == 0 ? -1 : among[random.Next(among.Length)];

            int[] order = Order(policy, tried, last, random.NextDouble());

            order.Order().SequenceEqual(Enumerable.Range(0, count)).ShouldBeTrue($"seed {seed}, {i}");
            int fresh = count - among.Length;
            order[..fresh].ShouldAllBe(index => !among.Contains(index), $"seed {seed}, {i}");
            if (last >= 0)
                order[^1].ShouldBe(last, $"seed {seed}, {i}");
            if (mode is EndpointMode.Ordered)
                order[..fresh].SequenceEqual(order[..fresh].Order()).ShouldBeTrue($"seed {seed}, {i}");
        }
    }

    private static int[] Order(EndpointsPolicy policy, int tried, int last, double position)
    {
        int[] order = new int[policy.All.Length];
        EndpointRules.Order(policy, tried, last, position, order);
        return order;
    }

    private static EndpointsPolicy Policy(EndpointMode mode, params int[] weights) => Policy(mode, sharesKeys: true, weights);

    private static EndpointsPolicy Policy(EndpointMode mode, bool sharesKeys, int[] weights) => new(new()
    {
        Mode = mode,
        SharesKeys = sharesKeys,
        Uris = [.. weights.Select((_, index) => $"https://e{index}.test/")],
        Weights = weights,
    });
}
