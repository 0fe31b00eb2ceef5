namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Letters that are encrypted at rest, in every store, with a real key ring.</summary>
public abstract class ProtectedLetterContract : StorageContract
{
    private readonly string _ring = Directory.CreateTempSubdirectory("key-ring-").FullName;

    public static TheoryData<string, string?> Bodies => new()
    {
        { "text", "{\"card\":\"4111111111111111\"}" }, { "none", null }, { "empty", "" }, { "binary", "\0\u0001\u001f\r\n" },
        { "one byte", "a" }, { "1 MiB", new string('x', 1 << 20) },
    };

    public static TheoryData<string> Uris =>
    [
        "https://api.example.com/invoices", "https://api.example.com/?sig=s3cret",
        "https://api.example.com:8443/a%2Fb?q=a%20b&c=%C3%A9#f?g", "https://api.example.com/?",
        "https://api.example.com/#only?fragment", "http://[::1]:5000/x?y=?&z=//", "https://äpi.example/ü?ä=ö",
    ];

    [Theory, MemberData(nameof(Bodies))]
    public async Task A_protected_letter_comes_back_as_it_was_and_lies_encrypted(string kind, string? body)
    {
        await using var process = Start();
        var letter = Secret() with { Body = body is null ? default(ReadOnlyMemory<byte>?) : System.Text.Encoding.UTF8.GetBytes(body) };

        (await process.Letters.AddAsync(letter, Stop)).ShouldBeTrue();

        var found = await process.Letters.FindAsync(letter.Id, Stop);
        found.ShouldBeThatOf(letter with { ProtectedWith = found!.ProtectedWith });
        found.ProtectedWith.ShouldNotBeNullOrEmpty(kind);
        (await process.Letters.ListAsync(new(), Stop)).ShouldHaveSingleItem().ShouldBeThatOf(found);
        (await process.Letters.ListAsync(new() { OmitBodies = true }, Stop)).ShouldHaveSingleItem().ShouldBeThatOf(
            found with { Body = null });
        var claimed = (await process.Letters.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem();
        claimed.ShouldBeThatOf(
            found with { Status = DeadLetterStatus.InProgress, Version = claimed.Version, DueAt = claimed.DueAt });

        var stored = (await process.Stored.FindAsync(letter.Id, Stop))!;
        stored.Uri.ShouldBe(new("https://api.example.com/invoices"));
        stored.OriginalUri.ShouldBeNull();
        stored.Headers.ShouldHaveSingleItem().Value.ShouldNotContain("secret");
        stored.Body.HasValue.ShouldBe(letter.Body.HasValue);
        if (body is { Length: > 1 })
            Convert.ToHexString(stored.Body!.Value.Span).ShouldNotContain(Convert.ToHexString(letter.Body!.Value.Span));
    }

    [Theory, MemberData(nameof(Uris))]
    public async Task Every_query_is_protected_and_comes_back_as_it_was(string uri)
    {
        await using var process = Start();
        var letter = Letters.Plain() with { Uri = new(uri), ProtectedWith = "", OriginalUri = $"{uri}&x=/../y" };
        await process.Letters.AddAsync(letter, Stop);

        var found = await process.Letters.FindAsync(letter.Id, Stop);

        found.ShouldBeThatOf(letter with { ProtectedWith = found!.ProtectedWith });
        var stored = (await process.Stored.FindAsync(letter.Id, Stop))!;
        stored.Uri.AbsoluteUri.ShouldNotContain('?');
        stored.Uri.AbsoluteUri.ShouldNotContain('#');
        (stored.OriginalUri, stored.Authority).ShouldBe((null, letter.Authority));
    }

    [Fact]
    public async Task A_letter_without_a_body_is_stored_without_it_and_so_is_one_whose_body_is_missing()
    {
        await using var process = Start();
        var letter = Secret() with { Body = null, BodyIsMissing = true };
        await process.Letters.AddAsync(letter, Stop);

        var found = (await process.Letters.FindAsync(letter.Id, Stop))!;

        (found.Body, found.BodyIsMissing, found.Headers.Count).ShouldBe((null, true, letter.Headers.Count));
    }

    [Fact]
    public async Task Letters_in_both_forms_live_side_by_side()
    {
        await using var process = Start();
        var (plain, secret) = (Letters.Plain() with { Body = new byte[] { 1 } }, Secret());
        await process.Letters.AddAsync(plain, Stop);
        await process.Letters.AddAsync(secret, Stop);

        (await process.Letters.FindAsync(plain.Id, Stop)).ShouldBeThatOf(plain);
        (await process.Letters.ClaimAsync(Letters.Claim(Noon), Stop)).Select(l => l.Body!.Value.Length)
            .ShouldBe([1, secret.Body!.Value.Length], ignoreOrder: true);
        (await process.Stored.FindAsync(plain.Id, Stop))!.ProtectedWith.ShouldBeNull();
    }

    [Fact]
    public async Task A_replacement_of_a_protected_letter_is_protected_and_bound_to_its_own_id()
    {
        await using var process = Start();
        var letter = Secret();
        await process.Letters.AddAsync(letter, Stop);
        var found = (await process.Letters.FindAsync(letter.Id, Stop))!;
        var replacement = found with { Id = Guid.CreateVersion7(), Body = new byte[] { 7 }, Replaces = found.Id };

        (await process.Letters.CommitAsync(
            new() { Changed = [found with { Status = DeadLetterStatus.Resubmitted }], Added = [replacement] }, Stop)).ShouldBeTrue();

        (await process.Letters.FindAsync(replacement.Id, Stop)).ShouldBeThatOf(replacement);
        (await process.Stored.FindAsync(replacement.Id, Stop))!.Body!.Value.Length.ShouldBeGreaterThan(50);
        (await process.Letters.FindAsync(letter.Id, Stop))!.Status.ShouldBe(DeadLetterStatus.Resubmitted);
    }

    [Fact]
    public async Task An_update_of_a_letter_leaves_what_is_protected()
    {
        await using var process = Start();
        var letter = Secret();
        await process.Letters.AddAsync(letter, Stop);
        var found = (await process.Letters.FindAsync(letter.Id, Stop))!;

        (await process.Letters.UpdateAsync(found with { Attempts = 9 }, Stop)).ShouldBeTrue();

        (await process.Letters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(found with { Attempts = 9, Version = 1 });
        (await process.Stored.FindAsync(letter.Id, Stop))!.Headers.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_letter_that_is_to_be_protected_is_not_stored_in_clear()
    {
        await using var process = Start(ring: null);

        (await Should.ThrowAsync<HttpResilienceStorageException>(() => process.Letters.AddAsync(Secret(), Stop))).Message
            .ShouldContain("HttpResilience.DataProtection");
        (await Should.ThrowAsync<HttpResilienceStorageException>(() => process.Stored.AddAsync(Secret(), Stop))).Message
            .ShouldContain("must be protected");

        (await process.Letters.CountAsync(Stop)).ByStatus.ShouldBeEmpty();
    }

    [Fact]
    public async Task Old_keys_open_old_letters_and_new_letters_have_the_new_key()
    {
        var (old, @new) = (Secret(), Secret());
        await using (var process = Start())
        {
            await process.Letters.AddAsync(old, Stop);
            var now = DateTimeOffset.UtcNow;
            process.Keys.CreateNewKey(now, now.AddDays(90));
        }

        await using var later = Start();
        await later.Letters.AddAsync(@new, Stop);

        var keys = await Task.WhenAll(new[] { old, @new }.Select(async l => (await later.Letters.FindAsync(l.Id, Stop))!));
        keys.ShouldAllBe(l => l.Body!.Value.Length == old.Body!.Value.Length);
        keys[0].ProtectedWith.ShouldNotBe(keys[1].ProtectedWith);
    }

    [Fact]
    public async Task A_key_that_another_process_has_added_is_found()
    {
        await using var first = Start();
        await first.Letters.AddAsync(Secret(), Stop);
        var now = DateTimeOffset.UtcNow;
        await using var second = Start();
        second.Keys.CreateNewKey(now, now.AddDays(90));
        var letter = Secret();
        await second.Letters.AddAsync(letter, Stop);

        (await first.Letters.ClaimAsync(Letters.Claim(Noon), Stop)).Count.ShouldBe(2);

        first.Log.Lines.ShouldNotContain(r => r.EventId == 556);
    }

    public static TheoryData<string> Reasons => ["lost", "revoked", "other application", "no protector", "unreadable"];

    [Theory, MemberData(nameof(Reasons))]
    public async Task A_letter_whose_key_is_missing_is_kept_for_review_and_is_due_again_when_the_key_is_back(string reason)
    {
        var letters = Enumerable.Range(0, 5).Select(_ => Secret()).ToList();
        var other = Letters.Plain();
        string keyId;
        await using (var writer = Start())
        {
            foreach (var letter in letters)
                await writer.Letters.AddAsync(letter, Stop);
            await writer.Letters.AddAsync(other, Stop);
            keyId = (await writer.Letters.FindAsync(letters[0].Id, Stop))!.ProtectedWith!;
        }

        string saved = Path.Combine(_ring, "..", Path.GetFileName(_ring) + "-saved");
        Copy(_ring, saved);
        foreach (string file in reason is "lost" ? Directory.GetFiles(_ring) : [])
            File.Delete(file);
        foreach (string file in reason is "unreadable" ? Directory.GetFiles(_ring) : [])
            await File.WriteAllTextAsync(file, "<key", Stop);
        if (reason is "revoked")
        {
            await using var revoking = Start();
            revoking.Keys.RevokeKey(Guid.Parse(keyId.Split('@')[0]));
        }

        await using (var without = Start(
            reason is "no protector" ? null : _ring, reason is "other application" ? "others" : "tests"))
        {
            (await without.Letters.ClaimAsync(Letters.Claim(Noon, limit: 2), Stop)).ShouldHaveSingleItem().Id.ShouldBe(other.Id);

            (await without.Letters.MissingKeysAsync(Stop)).ShouldBe([keyId]);
            var closed = await without.Letters.ListAsync(new() { Status = DeadLetterStatus.RequiresReview }, Stop);
            closed.Select(l => (l.SuggestedAction, l.KeyIsMissing, l.Body, l.Headers.Count, l.Uri.Query, l.ProtectedWith)).Distinct()
                .ShouldBe([($"key {keyId} is missing", true, null, 0, "", keyId)]);
            closed.Count.ShouldBe(5);
            (await without.Letters.FindAsync(letters[0].Id, Stop))!.KeyIsMissing.ShouldBeTrue();
            without.Log.Lines.Count(r => r.EventId == 556).ShouldBe(1);
            (await without.Letters.PurgeAsync(DateTimeOffset.MaxValue, Stop)).ShouldBe(0);
            (await without.Letters.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldBeEmpty();
            await Should.ThrowAsync<InvalidOperationException>(
                () => without.Review.ResubmitAsync(letters[0].Id, l => l with { Body = new byte[] { 1 } }, "me", Stop));
        }

        Copy(saved, _ring);
        Directory.Delete(saved, recursive: true);
        foreach (string file in Directory.GetFiles(_ring, "revocation*"))
            File.Delete(file);
        await using var back = Start();
        await back.LookForKeysAsync(() => back.Log.Lines.Any(r => r.EventId == 557));
        (await back.Letters.MissingKeysAsync(Stop)).ShouldBeEmpty();

        var claimed = await back.Letters.ClaimAsync(Letters.Claim(DateTimeOffset.UtcNow.AddYears(10)), Stop);
        claimed.Select(l => l.Id).Order().ShouldBe(letters.Select(l => l.Id).Append(other.Id).Order());
        foreach (var letter in claimed.Where(l => l.Id != other.Id))
        {
            (letter.SuggestedAction, letter.Uri.Query, letter.Headers.Count, letter.Body!.Value.Length)
                .ShouldBe((null, "?sig=secret", 2, 9));
        }

        back.Log.Lines.Count(r => r.EventId == 557).ShouldBe(1);
    }

    [Fact]
    public async Task Letters_that_wait_for_another_key_or_for_a_person_are_not_released()
    {
        var store = Database.Open().DeadLetters;
        var waiting = Waiting("a");
        DeadLetter[] others =
        [
            Waiting("b"), Waiting("a") with { SuggestedAction = "Check the API key" }, Waiting("a") with { SuggestedAction = null },
            Waiting("a") with { Status = DeadLetterStatus.Resolved }, Waiting("a") with { ProtectedWith = "c" },
            Waiting("a") with { ProtectedWith = null },
        ];
        foreach (var letter in others.Append(waiting))
            await store.AddAsync(letter, Stop);

        (await store.MissingKeysAsync(Stop)).ShouldBe(["a", "b"], ignoreOrder: true);
        (await store.ReleaseAsync("a", Noon, Stop)).ShouldBe(1);
        (await store.ReleaseAsync("a", Noon, Stop)).ShouldBe(0);

        (await store.FindAsync(waiting.Id, Stop)).ShouldBeThatOf(
            waiting with { Status = DeadLetterStatus.Pending, DueAt = Noon, SuggestedAction = null, Version = 1 });
        foreach (var letter in others)
            (await store.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
        (await store.MissingKeysAsync(Stop)).ShouldBe(["b"]);

        static DeadLetter Waiting(string key) => Letters.Plain(status: DeadLetterStatus.RequiresReview) with
        {
            ProtectedWith = key,
            SuggestedAction = LetterKeyMissingException.ActionOf(key),
        };
    }

    [Fact]
    public async Task Many_letters_are_released_at_once_and_wake_the_worker()
    {
        var store = Database.Open().DeadLetters;
        await Task.WhenAll(Enumerable.Range(0, 2001).Select(_ => store.AddAsync(
            Letters.Plain(status: DeadLetterStatus.RequiresReview) with { ProtectedWith = "k", SuggestedAction = "key k is missing" },
            Stop)));
        var other = Database.Open().DeadLetters;
        await other.WaitForLettersAsync(TimeSpan.FromMilliseconds(1), Stop);
        var wait = other.WaitForLettersAsync(TimeSpan.FromMinutes(5), Stop);

        (await store.ReleaseAsync("k", Noon, Stop)).ShouldBe(2001);

        await wait;
        (await store.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(2001);
    }

    protected override async ValueTask CleanAsync()
    {
        Directory.Delete(_ring, recursive: true);
        await base.CleanAsync();
    }

    internal static DeadLetter Secret() => Letters.Plain() with
    {
        Uri = new("https://api.example.com/invoices?sig=secret"),
        OriginalUri = null,
        Headers = [new("Content-Type", "application/json"), new("X-Customer", "secret")],
        Body = "secret 12"u8.ToArray(),
        ProtectedWith = "",
    };

    private ProtectedProcess Start() => Start(_ring);

    private ProtectedProcess Start(string? ring, string application = "tests") => new(Database, ring, application);

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }
}
