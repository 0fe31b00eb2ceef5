using System.Collections;
using System.Reflection;

namespace HttpResilience.Tests.Options;

/// <summary>Handlers read the policy, so every option must reach it.</summary>
public sealed class PolicySnapshotTests
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    // Checked when the host starts.
    private static readonly string[] NotInThePolicy = ["Chaos:AllowInProduction", "TotalRequestTimeout:Learn"];

    private static readonly string[] OfRoutes = ["_table", "_routes", "<Route>k__BackingField"];

    [Fact]
    public void Every_option_changes_the_policy()
    {
        string before = Describe(PolicyOf(AllOn()));

        var ignored = Leaves("", AllOn()).Select(leaf => leaf.Path).Where(path =>
        {
            var options = AllOn();
            Leaves("", options).Single(leaf => leaf.Path == path).Change();
            return Describe(PolicyOf(options)) == before;
        });

        ignored.ShouldBe(NotInThePolicy, ignoreOrder: true);
    }

    /// <summary>A route is a copy of all options, over which its own are set.</summary>
    [Fact]
    public void Every_option_of_the_client_reaches_its_routes()
    {
        var differing = Leaves("", AllOn()).Select(leaf => leaf.Path).Where(path =>
        {
            var options = AllOn();
            Leaves("", options).Single(leaf => leaf.Path == path).Change();
            options.Routes["/a"] = _ => { };
            return PolicyOf(options).WithRoutes.ToList() is not [var client, var route] || Describe(route) != Describe(client);
        });

        differing.ShouldBeEmpty();
    }

    [Fact]
    public void Every_option_of_a_route_changes_its_policy_alone_or_is_refused()
    {
        string before = Describe(PolicyOf(AllOn()));

        var untrue = Leaves("", AllOn()).Select(leaf => leaf.Path).Except(NotInThePolicy).Where(path =>
        {
            var options = AllOn();
            options.Routes["/a"] = route => Leaves("", route).Single(leaf => leaf.Path == path).Change();
            var policies = PolicyOf(options).WithRoutes.Select(Describe).ToList();
            bool isRefused = options.BindingProblems.Count > 0;
            if (isRefused || ClientWideSettings.ReasonFor(path, isNull: false) is not null)
                return isRefused == ClientWideSettings.ReasonFor(path, isNull: false) is null;
            // The total of a route may be the longest of the client.
            return policies[1] == before || (policies[0] != before && path is not "TotalRequestTimeout:Timeout");
        });

        untrue.ShouldBeEmpty();
    }

    private static ResiliencePolicy PolicyOf(HttpResilienceOptions options)
    {
        options.EndBinding(new(null, "client"));
        return new("client", options, TimeProvider.System);
    }

    // An option of a stage that is off, or of a rule that is off, has no effect.
    private static HttpResilienceOptions AllOn()
    {
        var options = new HttpResilienceOptions
        {
            BaseAddress = new("https://api.test/"),
            MaxTimeout = TimeSpan.FromMinutes(5),
            RateLimiter = new() { DefaultRateLimiterOptions = new(), TokenBucket = new() { TokenLimit = 3, TokensPerPeriod = 2 } },
        };
        options.Fallback.Enabled = options.DeadLetter.Enabled = options.Hedging.Enabled = options.Chaos.Enabled = true;
        (options.Endpoints.Uris, options.Endpoints.Weights) = (["https://a.test/"], [2, 1]);
        (options.Concurrency.Mode, options.Concurrency.MinLimit) = (ConcurrencyMode.Adaptive, 2);
        options.CircuitBreaker.SlowCallDuration = TimeSpan.FromSeconds(9);
        options.Idempotency.RememberFor = TimeSpan.FromDays(1);
        (options.Chaos.Latency.InjectionRate, options.Chaos.Fault.InjectionRate, options.Chaos.Status.InjectionRate) = (0.1, 0.2, null);
        options.Quota.Fields = [new() { Remaining = "X-Left" }];
        options.Retry.BackoffType = BackoffType.Constant;
        options.Retry.Statuses[404] = new() { MaxRetryAttempts = 1, Delay = TimeSpan.FromSeconds(1) };
        return options;
    }

    private static IEnumerable<(string Path, Action Change)> Leaves(string path, object options)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public))
        {
            object? value = property.GetValue(options);
            string name = path + property.Name;
            if (value is IDictionary<int, RetryStatusOptions> statuses)
            {
                foreach (var leaf in statuses.SelectMany(status => Leaves($"{name}:{status.Key}:", status.Value)))
                    yield return leaf;
            }
            else if (value is IList<QuotaOptions.Field> fields)
            {
                foreach (var leaf in fields.Index().SelectMany(field => Leaves($"{name}:{field.Index}:", field.Item)))
                    yield return leaf;
            }
            else if (value is not null && value.GetType() is { IsClass: true, Namespace: "HttpResilience" })
            {
                foreach (var leaf in Leaves(name + ":", value))
                    yield return leaf;
            }
            else if (property.CanWrite)
            {
                yield return (name, () => property.SetValue(options, Changed(property.Name, value, property.PropertyType)));
            }
            else if (value is ICollection<string> names)
            {
                yield return (name, () => names.Add(Added(property.Name)));
            }
        }
    }

    private static object? Changed(string name, object? value, Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var t when t == typeof(bool) => !(bool)value!,
        var t when t == typeof(int) => value is int number ? number + 1 : 7,
        var t when t == typeof(long) => value is long number ? number + 1 : 7L,
        var t when t == typeof(double) => value is double number ? number / 2 : 0.3,
        var t when t == typeof(TimeSpan) => value is TimeSpan time ? time + TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(5),
        var t when t == typeof(string) => value + "x",
        var t when t == typeof(Uri) => new Uri("https://other.test/"),
        { IsEnum: true } t => Enum.GetValues(t).Cast<object>().First(v => !v.Equals(value)),
        var t when t.IsAssignableFrom(typeof(List<string>)) => new List<string>([.. (IEnumerable<string>?)value ?? [], Added(name)]),
        var t when t.IsAssignableFrom(typeof(List<int>)) => new List<int>([.. ((IEnumerable<int>)value!).Select(v => v + 1)]),
        var t when t.IsAssignableFrom(typeof(string[])) => new[] { Added(name) },
        var t => throw new NotSupportedException($"An option of type {t}."),
    };

    private static string Added(string name) =>
        name is nameof(DeadLetterOptions.AllowedAuthorities) or nameof(EndpointsOptions.Uris) ? "https://other.test/" : "OTHER";

    private static string Describe(object? value) => value switch
    {
        null => "null",
        string text => text,
        IEnumerable items => $"[{string.Join(", ", items.Cast<object>().Select(Describe).Order(StringComparer.Ordinal))}]",
        _ when IsOurs(value.GetType()) =>
            $"{{{string.Join(", ", FieldsOf(value.GetType()).Select(f => $"{f.Name}: {Describe(f.GetValue(value))}"))}}}",
        _ => value.ToString()!,
    };

    private static IEnumerable<FieldInfo> FieldsOf(Type? type) =>
        type is null || !IsOurs(type) ? []
            : type.GetFields(Fields).Where(f => !OfRoutes.Contains(f.Name)).Concat(FieldsOf(type.BaseType));

    private static bool IsOurs(Type type) => type is { IsEnum: false, IsPrimitive: false }
        && (type.Assembly == typeof(HttpCall).Assembly || type.Name.StartsWith("KeyValuePair", StringComparison.Ordinal));
}
