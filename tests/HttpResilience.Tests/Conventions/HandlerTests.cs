using System.Reflection;

namespace HttpResilience.Tests.Conventions;

public sealed class HandlerTests
{
    private static readonly Type[] All = typeof(HttpCall).Assembly.GetTypes();

    public static TheoryData<Type> Handlers => [.. All.Where(t => t.IsSubclassOf(typeof(DelegatingHandler)) && !t.IsAbstract)];

    // AddPollyHandler's is no stage but an ordinary handler, which may stand where there is no chain; so are those outside the chain (the
    // one of a single HttpClient, and the one that keeps scopes from handlers of the application), the one before a primary handler that
    // may follow redirects of replays, and the one before pipelines of others.
    private static readonly Type[] NoStages =
        [typeof(PollyHandler), typeof(SendingClientHandler), typeof(CallScopeHandler), typeof(RedirectDetector),
        typeof(ReplayCompletenessHandler), typeof(AttemptContextHandler)];

    public static TheoryData<Type> Stages =>
        [.. All.Where(t => t.IsSubclassOf(typeof(DelegatingHandler)) && !t.IsAbstract && !NoStages.Contains(t))];

    public static TheoryData<Type> PublicClasses => [.. All.Where(t => t is { IsPublic: true, IsClass: true })];

    [Theory, MemberData(nameof(Handlers))]
    public void Every_handler_is_sealed_and_internal(Type handler) => (handler.IsSealed, handler.IsPublic).ShouldBe((true, false));

    // One core method serves Send and SendAsync: a stage with a second copy would soon behave in two ways.
    [Theory, MemberData(nameof(Stages))]
    public void Every_handler_is_a_stage_of_the_chain(Type handler) => handler.IsSubclassOf(typeof(ChainHandler)).ShouldBeTrue();

    [Theory, MemberData(nameof(Stages))]
    public void No_stage_but_the_outermost_and_the_innermost_overrides_what_other_handlers_call(Type handler) =>
        handler.GetMethods(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Where(m => m.GetBaseDefinition().DeclaringType == typeof(HttpMessageHandler)
                || m.GetBaseDefinition().DeclaringType == typeof(DelegatingHandler))
            .Any(m => m.Name is "Send" or "SendAsync").ShouldBe(handler == typeof(RequestLoggingHandler) || handler == typeof(WireHandler));

    [Theory, MemberData(nameof(PublicClasses))]
    public void Every_public_class_is_sealed_static_or_abstract(Type type) => (type.IsSealed || type.IsAbstract).ShouldBeTrue();

    [Fact]
    public void Every_exception_of_the_chain_is_one_that_callers_of_HttpClient_catch()
    {
        // The store's own, the review's and the batch's go to who asks them, never through the chain; one is for the log only.
        var exceptions = All.Where(t => t.IsSubclassOf(typeof(Exception)) && t != typeof(HttpResilienceStorageException)
            && t != typeof(LetterKeyMissingException) && t != typeof(BatchInProgressException) && t != typeof(BatchStoppedException)
            && t != typeof(ScrubbedException) && t != typeof(DeadLetterChangedException)).ToList();

        exceptions.ShouldContain(typeof(CircuitOpenException));
        exceptions.ShouldAllBe(t => t.IsSubclassOf(typeof(HttpRequestException)));
    }

    [Fact]
    public void Registration_lives_where_IServiceCollection_does_and_only_authors_of_stores_need_the_namespace_Storage() =>
        All.Where(t => t.IsPublic).GroupBy(t => t.Namespace).ToDictionary(g => g.Key!, g => g.Count())
            .ShouldSatisfyAllConditions(
                n => n.Keys.ShouldBe(["HttpResilience", "HttpResilience.Configuration",
                    "HttpResilience.Storage", "Microsoft.Extensions.DependencyInjection"], ignoreOrder: true),
                n => n["Microsoft.Extensions.DependencyInjection"].ShouldBe(1));
}
