using System.Collections;
using System.Collections.Immutable;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace HttpResilience.Tests.Http;

/// <summary>Which JSON is serialized alike each time, judged by its type.</summary>
public sealed class RepeatableJsonTests
{
    private static readonly Dictionary<string, Func<JsonContent>> Values = new()
    {
        ["null"] = () => JsonContent.Create<Invoice?>(null),
        ["a number"] = () => JsonContent.Create(1.5m),
        ["text"] = () => JsonContent.Create("text"),
        ["an enum"] = () => JsonContent.Create(DayOfWeek.Friday),
        ["an anonymous type"] = () => JsonContent.Create(new { Number = 1, At = DateTimeOffset.UnixEpoch, Id = (Guid?)Guid.Empty }),
        ["a record with lines and a parent"] = () => JsonContent.Create(new Invoice(1, [new("a", 2)], null)),
        ["an array"] = () => JsonContent.Create(new[] { new Line("a", 1) }),
        ["an array of arrays"] = () => JsonContent.Create(new[] { new[] { 1 } }),
        ["a list as a sequence"] = () => JsonContent.Create<IEnumerable<string>>(new List<string> { "a" }),
        ["an array as a read-only list"] = () => JsonContent.Create<IReadOnlyList<int>>(new[] { 1, 2, 3 }),
        ["a list as an object"] = () => JsonContent.Create<object>(new List<Line> { new("a", 1) }),
        ["a dictionary"] = () => JsonContent.Create(new Dictionary<string, Line> { ["a"] = new("a", 1) }),
        ["an immutable array"] = () => JsonContent.Create(ImmutableArray.Create(1)),
        ["a node"] = () => JsonContent.Create(JsonNode.Parse("{\"a\":[1]}")),
        ["an element"] = () => JsonContent.Create(JsonDocument.Parse("[1]").RootElement),
        ["a dictionary of elements"] = () => JsonContent.Create(new Dictionary<string, JsonElement>()),
        ["an ignored sequence"] = () => JsonContent.Create(new Ignoring()),
        ["a generic of values"] = () => JsonContent.Create(new Page<Line>(1, [])),
    };

    private static readonly Dictionary<string, Func<JsonContent>> Sequences = new()
    {
        ["an iterator"] = () => JsonContent.Create(Rows()),
        ["an iterator as an object"] = () => JsonContent.Create<object>(Rows()),
        ["a query"] = () => JsonContent.Create(new[] { 1 }.Select(i => i)),
        ["a query as a read-only collection"] = () => JsonContent.Create<IReadOnlyCollection<int>>(new LazyList()),
        ["an asynchronous iterator"] = () => JsonContent.Create(AsyncRows()),
        ["a property that is a sequence"] = () => JsonContent.Create(new { Lines = Rows() }),
        ["a property that is an object"] = () => JsonContent.Create(new { Any = (object)1 }),
        ["a property that is an interface"] = () => JsonContent.Create(new Page<int>.WithList([1])),
        ["a property that is an asynchronous sequence"] = () => JsonContent.Create(new { Lines = AsyncRows() }),
        ["deep in a list in a record"] = () => JsonContent.Create(new List<Page<IEnumerable<int>>>()),
        ["a dictionary of objects"] = () => JsonContent.Create(new Dictionary<string, object>()),
        ["an array of sequences"] = () => JsonContent.Create(new[] { Rows() }),
        ["a collection of its own"] = () => JsonContent.Create(new LazyList()),
        ["a list of its own"] = () => JsonContent.Create(new LazyDerived()),
        ["a base class with a sequence"] = () => JsonContent.Create(new Derived()),
        ["an included field"] = () => JsonContent.Create(new Including()),
        ["a converter of its own"] = () => JsonContent.Create(new Converted()),
        ["a polymorphic type"] = () => JsonContent.Create(new Shape()),
        ["a derived value as its base"] = () => JsonContent.Create<Plain>(new LazyPlain()),
        ["extension data"] = () => JsonContent.Create(new Extended()),
    };

    public static TheoryData<string> AllValues => [.. Values.Keys];

    public static TheoryData<string> AllSequences => [.. Sequences.Keys];

    [Theory, MemberData(nameof(AllValues))]
    public void Json_that_holds_no_lazy_sequence_is_a_value(string kind)
    {
        RequestBody.IsValue(Values[kind]()).ShouldBeTrue();
        RequestBody.IsValue(Values[kind]()).ShouldBeTrue();
    }

    [Theory, MemberData(nameof(AllSequences))]
    public void Json_that_can_hold_a_lazy_sequence_is_recorded(string kind)
    {
        RequestBody.IsValue(Sequences[kind]()).ShouldBeFalse();
        RequestBody.IsValue(Sequences[kind]()).ShouldBeFalse();
    }

    private static IEnumerable<string> Rows()
    {
        yield return "a";
    }

    private static async IAsyncEnumerable<string> AsyncRows()
    {
        await Task.Yield();
        yield return "a";
    }

    private sealed record Invoice(int Number, List<Line> Lines, Invoice? Corrects);

    private sealed record Line(string Text, decimal Net);

    private sealed record Page<T>(int Number, T[] Items)
    {
        internal sealed record WithList(IReadOnlyList<T> Items);
    }

    private sealed class Ignoring
    {
        public int Number { get; } = 1;

        [JsonIgnore]
        public IEnumerable<string> Lines { get; } = Rows();
    }

    private sealed class LazyList : IReadOnlyCollection<int>
    {
        public int Count => 1;

        public IEnumerator<int> GetEnumerator()
        {
            yield return 1;
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class LazyDerived : List<int>, IEnumerable<int>
    {
        IEnumerator<int> IEnumerable<int>.GetEnumerator()
        {
            yield return 1;
        }
    }

    private class Base
    {
        public IEnumerable<string> Lines { get; } = Rows();
    }

    private sealed class Derived : Base;

    private class Plain
    {
        public int Number { get; } = 1;
    }

    private sealed class LazyPlain : Plain
    {
        public IEnumerable<string> Lines { get; } = Rows();
    }

    private sealed class Including
    {
        [JsonInclude]
        private IEnumerable<string> Lines { get; set; } = Rows();
    }

    [JsonConverter(typeof(Converter))]
    private sealed class Converted;

    private sealed class Converter : JsonConverter<Converted>
    {
        public override Converted Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new();

        public override void Write(Utf8JsonWriter writer, Converted value, JsonSerializerOptions options) => writer.WriteNullValue();
    }

    [JsonDerivedType(typeof(Square))]
    private class Shape;

    private sealed class Square : Shape
    {
        public IEnumerable<string> Sides { get; } = Rows();
    }

    private sealed class Extended
    {
        [JsonExtensionData]
        public Dictionary<string, object> More { get; } = [];
    }
}
