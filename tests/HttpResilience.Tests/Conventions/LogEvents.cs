using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Conventions;

/// <summary>An event that the code can log.</summary>
/// <param name="Level">As the manual has it.</param>
/// <param name="Categories">One of these.</param>
/// <param name="Properties">In the order of the alphabet.</param>
internal sealed record LogEvent(int Id, string Name, string Level, IReadOnlyList<string> Categories, string Properties)
{
    internal const string StorageCategory = "HttpResilience.Storage";

    private const BindingFlags Any =
        BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Assembly[] Assemblies =
        [typeof(HttpCall).Assembly, typeof(Alert).Assembly, typeof(ManualTimeProvider).Assembly, Assembly.Load("HttpResilience.Sqlite"),
            Assembly.Load("HttpResilience.PostgreSql")];

    // Who logs with a logger that another type was given.
    private static readonly Dictionary<Type, Type> Borrowed = new()
    {
        [typeof(IdempotencyKeyReservation)] = typeof(ResponseReplayHandler),
        [typeof(HandlerNotices)] = typeof(Client),
        [typeof(UnsafeMethodsNotice)] = typeof(Client),
        [typeof(SamplingNotice)] = typeof(Client),
        [typeof(SettingsNotice)] = typeof(Client),
        [typeof(ResilientClients)] = typeof(Client),
        [typeof(LetterCredentials)] = typeof(DeadLetterHandler),
        [typeof(LostLetter)] = typeof(DeadLetterHandler),
        [typeof(ChaosNotice)] = typeof(Client),
    };

    // Whose level depends on something; that it does so as the manual says, other tests see.
    private static readonly Dictionary<int, string> Levels = new()
    {
        [101] = $"Logging:Level: {new RequestLoggingOptions().Level}",
        [102] = "Warning; Logging:Level when the caller cancelled",
        [201] = $"Logging:RetryLevel: {new RequestLoggingOptions().RetryLevel}",
        [211] = $"Logging:RetryLevel: {new RequestLoggingOptions().RetryLevel}",
        [301] = "Warning; Debug when calls wait, and within an outage",
        [511] = "Information; Warning when it requires review",
        [558] = "Error; Warning when it is listed",
        [701] = "Warning; Error when Critical",
        [702] = "Warning; Error when Critical",
        [703] = "Information",
    };

    // Those whose properties are not in a template; a property without a value is omitted.
    private static readonly Dictionary<int, string> PropertiesByHand = new()
    {
        [701] = "AlertId, Authority, ClientName, Detail, Rule, Tenant, Title",
        [702] = "AlertId, Authority, ClientName, Detail, Rule, StartedAt, Tenant, Title",
        [703] = "AlertId, Authority, ClientName, Detail, Rule, Tenant, Title",
    };

    private static readonly Regex Placeholder = new(@"\{(\w+)(:[^}]*)?\}");

    internal static IReadOnlyList<LogEvent> All { get; } = [.. Generated().Concat(ByHand())];

    // What the source generator writes the body of. The stores share a file of source: the same event comes from both.
    private static IEnumerable<LogEvent> Generated() =>
        from type in Assemblies.SelectMany(a => a.GetTypes())
        from method in type.GetMethods(Any)
        let message = method.GetCustomAttribute<LoggerMessageAttribute>()
        where message is not null
        select new LogEvent(
            message.EventId, message.EventName ?? method.Name,
                message.Level is LogLevel.None ? Levels.GetValueOrDefault(message.EventId, "depends") : message.Level.ToString(),
            CategoriesOf(type), string.Join(", ",
                Placeholder.Matches(message.Message).Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal)));

    private static IEnumerable<LogEvent> ByHand() =>
        from type in Assemblies.SelectMany(a => a.GetTypes())
        from field in type.GetFields(Any)
        where field.IsStatic && field.FieldType == typeof(EventId) && !field.Name.StartsWith("__", StringComparison.Ordinal)
        let id = (EventId)field.GetValue(null)!
        select new LogEvent(id.Id, id.Name!, Levels.GetValueOrDefault(id.Id, "depends"), CategoriesOf(type),
            PropertiesByHand.GetValueOrDefault(id.Id, ""));

    private static string[] CategoriesOf(Type type) =>
        type.GetField("LogCategory", Any) is { } category ? [(string)category.GetRawConstantValue()!]
        : type.Assembly != typeof(HttpCall).Assembly ? [StorageCategory]
        : Borrowed.TryGetValue(type, out var lender) ? CategoriesOf(lender)
        :
        [
            .. type.GetConstructors(Any).SelectMany(c => c.GetParameters()).Select(p => p.ParameterType)
                .Where(t => t.IsGenericType && t.GetGenericTypeDefinition() == typeof(ILogger<>))
                    .Select(t => t.GenericTypeArguments[0].FullName!),
        ];
}
