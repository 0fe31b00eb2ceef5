using System.Globalization;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>The letters of a running application, by its API.</summary>
internal sealed class LetterApi(ApiClient client) : LetterSource
{
    private const int MaxPage = 200;

    internal override string Shown => client.Shown;

    internal override IDeadLetterReview Review { get; } = new ApiReview(client);

    internal override async Task<LetterFinds> SearchAsync(
        LetterFilter filter, Guid? before, int limit, CancellationToken cancellationToken)
    {
        var words = filter.Words.Where(w => before is null || w.Key is not "before")
            .Concat(before is { } id ? [new("before", id.ToString())] : []);
        var page = await client.GetAsync(
            $"letters?{Words(words, Math.Min(limit, MaxPage))}", OperatorJson.Default.LetterPage, cancellationToken)
            .ConfigureAwait(false) ?? throw NoApi();
        // An application of an older version does not say how many letters it looked through.
        return new([.. page.Letters.Select(ApiLetter.Of)], page.Looked ?? page.Letters.Count, BeforeOf(page.Next));
    }

    internal override async Task<GroupList> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken) =>
        await client.GetAsync($"groups?{Words(query, limit)}", OperatorJson.Default.GroupList, cancellationToken).ConfigureAwait(false)
        ?? throw new ToolException($"{client.Shown} has no API of HttpResilience there.");

    internal override Task<IReadOnlyList<UnreplayedLetters>> UnreplayedAsync(CancellationToken cancellationToken) =>
        Review.UnreplayedAsync(cancellationToken);

    internal override async Task<DeadLetter> ResubmitAsync(
        DeadLetter letter, ResubmitRequest request, string by, CancellationToken cancellationToken)
    {
        // All but the hosts, which only the application knows.
        Correction.Apply(letter, request, null);
        var model = await client.PostAsync(
            $"letters/{letter.Id}/resubmit", request with { ExpectedVersion = letter.Version }, OperatorJson.Default.ResubmitRequest,
            OperatorJson.Default.LetterModel, cancellationToken).ConfigureAwait(false)
            ?? throw new KeyNotFoundException($"There is no letter {letter.Id}.");
        return ApiLetter.Of(model) with { Body = Correction.Apply(letter, request, null).Body };
    }

    internal override async Task<PurgePreview> CountSettledAsync(
        LetterFilter filter, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var words = filter.Words.Append(new("settledBefore", before.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)));
        return await client.GetAsync($"letters/purge?{Words(words)}", OperatorJson.Default.PurgePreview, cancellationToken)
            .ConfigureAwait(false) ?? throw NoApi();
    }

    internal override async Task<long> PurgeAsync(
        LetterFilter filter, PurgePreview counted, string by, CancellationToken cancellationToken)
    {
        string before = counted.SettledBefore.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
        var result = await client.PostAsync(
            "letters/purge", new(new Dictionary<string, string>(filter.Words), before, counted.Count), OperatorJson.Default.PurgeRequest,
            OperatorJson.Default.PurgeResult, cancellationToken).ConfigureAwait(false);
        return (result ?? throw NoApi()).Deleted;
    }

    internal override async Task<JobList> JobsAsync(int limit, CancellationToken cancellationToken) =>
        await client.GetAsync(
            string.Create(CultureInfo.InvariantCulture, $"jobs?limit={Math.Min(limit, 200)}"), OperatorJson.Default.JobList,
            cancellationToken).ConfigureAwait(false) ?? throw NoApi();

    internal override Task<JobModel?> JobAsync(Guid id, CancellationToken cancellationToken) =>
        client.GetAsync($"jobs/{id}", OperatorJson.Default.JobModel, cancellationToken);

    internal override async Task<JobModel> StartJobAsync(LetterJobRequest request, long count, CancellationToken cancellationToken) =>
        await client.PostAsync(
            "jobs",
            new(
                LetterWords.Of(request.Action), new Dictionary<string, string>(WordsOf(request.Query)),
                // All letters are sent under the eyes of the person only: the API asks for their number.
                Count: WordsOf(request.Query).Any() ? null : count, MaxLetters: request.MaxLetters,
                PerSecond: request.PerSecond, StopRatio: request.StopRatio, IncludesUncertain: request.IncludesUncertain,
                Notes: request.Notes, Resolution: request.Resolution),
            OperatorJson.Default.JobRequest, OperatorJson.Default.JobModel, cancellationToken).ConfigureAwait(false) ?? throw NoApi();

    internal override Task<JobModel?> StopJobAsync(Guid id, string by, CancellationToken cancellationToken) => client.PostAsync(
        $"jobs/{id}/stop", new StopRequest(), OperatorJson.Default.StopRequest, OperatorJson.Default.JobModel, cancellationToken);

    internal override async Task<CircuitList> CircuitsAsync(
        string? ofClient, string? authority, CancellationToken cancellationToken)
    {
        string words = string.Join('&', new[] { ("client", ofClient), ("host", authority) }.Where(w => w.Item2 is not null)
            .Select(w => $"{w.Item1}={Uri.EscapeDataString(w.Item2!)}"));
        return await client.GetAsync($"circuits?{words}", OperatorJson.Default.CircuitList, cancellationToken).ConfigureAwait(false)
            ?? throw NoApi();
    }

    internal override async Task<CircuitModel> ChangeCircuitAsync(
        CircuitRequest request, bool isHeld, string by, CancellationToken cancellationToken) =>
        await client.PostAsync(
            isHeld ? "circuits/hold" : "circuits/release", request, OperatorJson.Default.CircuitRequest,
            OperatorJson.Default.CircuitModel, cancellationToken).ConfigureAwait(false) ?? throw NoApi();

    internal override Task<ClientDetail> ClientAsync(string name, CancellationToken cancellationToken) =>
        client.RequireAsync(ClientPath(name), OperatorJson.Default.ClientDetail, cancellationToken);

    internal override Task<ClientDetail> SetPauseAsync(
        string name, bool isPaused, string by, string? note, CancellationToken cancellationToken) => client.RequirePostAsync(
        $"{ClientPath(name)}/{(isPaused ? "pause" : "resume")}", new(note), OperatorJson.Default.PauseRequest,
        OperatorJson.Default.ClientDetail, cancellationToken);

    private static string ClientPath(string name) => $"clients/{Uri.EscapeDataString(name)}";

    internal override Task<JobModel?> UndoJobAsync(Guid id, string by, CancellationToken cancellationToken) => client.PostAsync(
        "jobs", new(LetterWords.Of(LetterJobAction.Reopen), Job: id), OperatorJson.Default.JobRequest, OperatorJson.Default.JobModel,
        cancellationToken);

    internal override async Task<bool> HasWorkerAsync(CancellationToken cancellationToken)
    {
        var list = await client.GetAsync("instances", OperatorJson.Default.InstanceList, cancellationToken).ConfigureAwait(false)
            ?? throw NoApi();
        return list.Instances.Any(i => i.SendsLetters && ReplayCoverageRules.IsLive(i.SeenAt, Time.GetUtcNow()));
    }

    private ToolException NoApi() => new($"{client.Shown} has no API of HttpResilience there.");

    public override ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class ApiReview(ApiClient client) : IDeadLetterReview
    {
        public async Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken)
        {
            List<DeadLetter> letters = [];
            var before = query.Before;
            while (true)
            {
                int limit = Math.Min(MaxPage, query.Limit - letters.Count);
                var page = await client.GetAsync(
                    $"letters?{Words(query with { Before = before }, limit)}",
                    OperatorJson.Default.LetterPage, cancellationToken).ConfigureAwait(false) ?? throw NoApi();
                letters.AddRange(page.Letters.Select(ApiLetter.Of));
                before = BeforeOf(page.Next);
                if (before is null || letters.Count >= query.Limit)
                    return letters;
            }
        }

        public Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken) =>
            throw new NotSupportedException("The command prints the groups of the API as they are.");

        public async Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken)
        {
            var model = await client.GetAsync($"letters/{id}", OperatorJson.Default.LetterModel, cancellationToken).ConfigureAwait(false);
            if (model is null)
                return null;
            var letter = ApiLetter.Of(model);
            if (model.Body is null)
                return letter;
            if (model.Body is { Download: false, Text: var text })
            {
                Output.Say(text is null ? "The application does not show you its body."
                    : "You may only see it: fields of its body that may hold secrets are struck out.");
                return letter with { Body = text is null ? default(ReadOnlyMemory<byte>?) : LetterBody.BytesOf(letter, text) };
            }

            byte[]? body = await client.GetBytesAsync($"letters/{id}/body", cancellationToken).ConfigureAwait(false);
            return letter with { Body = body is null ? default(ReadOnlyMemory<byte>?) : body, Fingerprint = letter.Fingerprint };
        }

        public async Task<DeadLetter> ReplayAsync(Guid id, long expectedVersion, string by, CancellationToken cancellationToken) =>
            ApiLetter.Of(await client.PostAsync(
                $"letters/{id}/replay", new(expectedVersion), OperatorJson.Default.ReplayRequest, OperatorJson.Default.LetterModel,
                cancellationToken).ConfigureAwait(false) ?? throw NotFound(id));

        public async Task<DeadLetter> ResolveAsync(
            Guid id, long expectedVersion, string action, string? notes, string by, CancellationToken cancellationToken) =>
            ApiLetter.Of(await client.PostAsync(
                $"letters/{id}/resolve", new(expectedVersion, action, notes), OperatorJson.Default.ResolveRequest,
                OperatorJson.Default.LetterModel, cancellationToken).ConfigureAwait(false) ?? throw NotFound(id));

        public async Task<IReadOnlyList<UnreplayedLetters>> UnreplayedAsync(CancellationToken cancellationToken)
        {
            var list = await client.GetAsync("unreplayed", OperatorJson.Default.UnreplayedList, cancellationToken).ConfigureAwait(false);
            return [.. (list ?? throw NoApi()).Unreplayed.Select(u => new UnreplayedLetters(u.Application ?? "", u.Client, u.DueAt))];
        }

        public async Task<DeadLetter> ReopenAsync(Guid id, long? expectedVersion, string by, CancellationToken cancellationToken) =>
            ApiLetter.Of(await client.PostAsync(
                $"letters/{id}/reopen", new(expectedVersion), OperatorJson.Default.UndoRequest, OperatorJson.Default.LetterModel,
                cancellationToken).ConfigureAwait(false) ?? throw NotFound(id));

        public async Task<DeadLetter> CancelAsync(Guid id, long? expectedVersion, string by, CancellationToken cancellationToken) =>
            ApiLetter.Of(await client.PostAsync(
                $"letters/{id}/cancel", new(expectedVersion), OperatorJson.Default.UndoRequest, OperatorJson.Default.LetterModel,
                cancellationToken).ConfigureAwait(false) ?? throw NotFound(id));

        // The commands that need these take no --url.
        public Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost, CancellationToken cancellationToken) =>
            throw NeedsStore();

        public Task<SettledLetters> CountSettledAsync(
            DeadLetterQuery query, TimeSpan olderThan, int atMost, CancellationToken cancellationToken) => throw NeedsStore();

        public Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken) => throw NeedsStore();

        public Task<DeadLetter> ResubmitAsync(
            Guid id, Func<DeadLetter, DeadLetter> correct, string by, CancellationToken cancellationToken) => throw NeedsStore();

        public Task<DeadLetter> ResubmitAsync(
            Guid id, long expectedVersion, Func<DeadLetter, DeadLetter> correct, string by, CancellationToken cancellationToken) =>
            throw NeedsStore();

        public Task<DeadLetter> ResubmitAsync(
            Guid id, long expectedVersion, Func<DeadLetter, DeadLetter> correct, string by, TimeSpan delay,
            CancellationToken cancellationToken) => throw NeedsStore();

        public Task<DeadLetter> ReplayAsync(Guid id, string by, CancellationToken cancellationToken) => throw NeedsStore();

        public Task<DeadLetter> ReplayAsync(
            Guid id, long expectedVersion, string by, TimeSpan delay, CancellationToken cancellationToken) => throw NeedsStore();

        public Task<DeadLetter> SendAsync(Guid id, string by, CancellationToken cancellationToken) => throw NeedsStore();

        public Task<DeadLetter> SendAsync(Guid id, long expectedVersion, string by, CancellationToken cancellationToken) =>
            throw NeedsStore();

        public Task<int> ReplayManyAsync(
            DeadLetterQuery query, double perSecond, string by, IProgress<int>? progress, CancellationToken cancellationToken) =>
            throw NeedsStore();

        public Task<DeadLetter> ResolveAsync(Guid id, string action, string? notes, string by, CancellationToken cancellationToken) =>
            throw NeedsStore();

        public Task<int> PurgeAsync(TimeSpan olderThan, CancellationToken cancellationToken) => throw NeedsStore();

        public Task<int> PurgeAsync(DeadLetterQuery query, TimeSpan olderThan, CancellationToken cancellationToken) => throw NeedsStore();

        public Task<int> PurgeAsync(DeadLetterQuery query, TimeSpan olderThan, string by, CancellationToken cancellationToken) =>
            throw NeedsStore();

        public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) => throw NeedsStore();

        private ToolException NoApi() => new($"{client.Shown} has no API of HttpResilience there.");

        private static NotSupportedException NeedsStore() => new("This needs a store.");

        private static KeyNotFoundException NotFound(Guid id) => new($"There is no letter {id}.");
    }

    /// <summary>The words of a query in an address.</summary>
    internal static string Words(DeadLetterQuery query, int limit) => Words(WordsOf(query), limit);

    private static string Words(IEnumerable<KeyValuePair<string, string>> words, int limit) =>
        Words(words.Append(new("limit", limit.ToString(CultureInfo.InvariantCulture))));

    private static string Words(IEnumerable<KeyValuePair<string, string>> words) =>
        string.Join('&', words.Select(w => $"{w.Key}={Uri.EscapeDataString(w.Value)}"));

    // The page after one may begin behind its last letter.
    private static Guid? BeforeOf(string? next) =>
        next?.Split("before=") is [_, .. var rest] && Guid.TryParseExact(rest[^1].Split('&')[0], "D", out var before) ? before : null;

    private static IEnumerable<KeyValuePair<string, string>> WordsOf(DeadLetterQuery query)
    {
        (string Word, string? Value)[] words =
        [
            ("status", query.Status is { } status ? LetterWords.Of(status) : null), ("client", query.ClientName),
            ("tenant", query.Tenant), ("host", query.Authority), ("method", query.Method),
            ("class", query.FailureClass is { } failureClass ? LetterWords.Of(failureClass) : null),
            ("code", query.StatusCode?.ToString(CultureInfo.InvariantCulture)), ("text", query.Text),
            ("tag", query.Tag is { } tag ? $"{tag.Key}:{tag.Value}" : null), ("since", TimeWord(query.Since)),
            ("until", TimeWord(query.Until)), ("group", query.Fingerprint),
            ("before", query.Before?.ToString()),
        ];
        return words.Where(w => w.Value is not null).Select(w => KeyValuePair.Create(w.Word, w.Value!));
    }

    private static string? TimeWord(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
