using CsCheck;
using Forerun.Inference;

namespace Forerun.UnitTests.Inference;

public sealed class KvCacheTests : IDisposable
{
    private const int PagePositions = 64;
    private const string Folder = "smollm-gqa-tied-q4_1";

    private readonly LanguageModel _model = TinyModels.Load(Folder);

    private long PageBytes => PagePositions * _model.KvBytesPerPosition;

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(70, 70, 30)]
    [InlineData(64, 5, 1)]
    [InlineData(100, 63, 10)]
    [InlineData(100, 64, 10)]
    [InlineData(10, 0, 12)]
    public void RollbackTo_ThenAppend_SameBitsAsNeverHavingSpeculated(int speculated, int kept, int appended)
    {
        var text = TinyModels.Tokens(seed: 1, kept + appended);
        var wrong = TinyModels.Tokens(seed: 2, speculated - kept);
        using var cache = _model.CreateCache();
        _model.AppendIfAny(cache, text.AsSpan(0, kept));
        _model.AppendIfAny(cache, wrong);
        Assert.Equal(speculated, cache.Length);

        cache.RollbackTo(kept);

        Assert.Equal(kept, cache.Length);
        Passes.AssertSameBits(
            _model.Score(text, appended), _model.Append(cache, text.AsSpan(kept)), "after the rollback");
    }

    [Fact]
    public void Fork_SharesPagesUntilOneIsWritten()
    {
        using var cache = _model.CreateCache();
        _model.Append(cache, TinyModels.Tokens(seed: 1, 130), 0);
        Assert.Equal(3 * PageBytes, _model.KvBytesInUse);

        using var fork = cache.Fork();
        using var second = fork.Fork();
        Assert.Equal(130, second.Length);
        Assert.Equal(3 * PageBytes, _model.KvBytesInUse);

        _model.Append(fork, [5]);
        Assert.Equal(4 * PageBytes, _model.KvBytesInUse);
        _model.Append(cache, [6]);
        Assert.Equal(5 * PageBytes, _model.KvBytesInUse);
        _model.Append(second, [7]);
        Assert.Equal(5 * PageBytes, _model.KvBytesInUse);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(100)]
    public void Fork_BothGoOn_SameBitsAsSeparateCaches(int shared)
    {
        var prefix = TinyModels.Tokens(seed: 1, shared);
        var left = TinyModels.Tokens(seed: 2, 40);
        var right = TinyModels.Tokens(seed: 3, 40);
        using var cache = _model.CreateCache();
        _model.Append(cache, prefix, 0);
        using var fork = cache.Fork();

        var one = _model.Append(cache, left.AsSpan(0, 20));
        var two = _model.Append(fork, right.AsSpan(0, 20));
        var three = _model.Append(cache, left.AsSpan(20));
        var four = _model.Append(fork, right.AsSpan(20));

        Passes.AssertSameBits(_model.Score([.. prefix, .. left], 40), [.. one, .. three], "the original");
        Passes.AssertSameBits(_model.Score([.. prefix, .. right], 40), [.. two, .. four], "the fork");
    }

    [Fact]
    public void Fork_InOneBatchWithItsOrigin_SameBitsAsSeparateCaches()
    {
        var prefix = TinyModels.Tokens(seed: 1, 70);
        using var cache = _model.CreateCache();
        _model.Append(cache, prefix, 0);
        using var fork = cache.Fork();
        using var pass = _model.CreatePass();
        var batch = new ForwardBatch();
        batch.Add(cache, [1, 2, 3], 3);
        batch.Add(fork, [4, 5], 2);
        pass.Run(batch);

        var expected = new[] { _model.Score([.. prefix, 1, 2, 3], 3), _model.Score([.. prefix, 4, 5], 2) }
            .SelectMany(rows => rows).ToArray();
        Passes.AssertSameBits(expected, [.. Enumerable.Range(0, 5).Select(i => pass.Logits(i).ToArray())], "the batch");
    }

    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(2, 1, 0)]
    [InlineData(1, 0, 2)]
    public void Dispose_InAnyOrder_LeavesTheOthersIntact(int first, int second, int last)
    {
        var prefix = TinyModels.Tokens(seed: 1, 100);
        var expected = _model.Score([.. prefix, 9], 1);
        var cache = _model.CreateCache();
        _model.Append(cache, prefix, 0);
        var fork = cache.Fork();
        KvCache[] caches = [cache, fork, fork.Fork()];

        caches[first].Dispose();
        caches[first].Dispose();
        caches[second].Dispose();
        using (var other = _model.CreateCache())
        {
            _model.Append(other, TinyModels.Tokens(seed: 4, 200), 0);
        }

        Passes.AssertSameBits(expected, _model.Append(caches[last], [9]), "the last cache");
        caches[last].Dispose();
        Assert.Equal(0, _model.KvBytesInUse);
        Assert.Throws<ObjectDisposedException>(() => caches[last].Fork());
        Assert.Throws<ObjectDisposedException>(() => caches[last].RollbackTo(0));
        Assert.Throws<ObjectDisposedException>(() => new ForwardBatch().Add(caches[last], [1], 0));
    }

    [Fact]
    public void Append_NoRoom_SaysHowManyPositionsThereAre()
    {
        using var model = TinyModels.LoadWithContext(Folder, 70, WeightFormat.Packed, threads: 1);
        using var cache = model.CreateCache();
        Assert.Equal(70, cache.Capacity);
        var batch = new ForwardBatch();
        batch.Add(cache, TinyModels.Tokens(seed: 1, 70), 1);
        using var pass = model.CreatePass();
        pass.Run(batch);
        Assert.Equal(70, cache.Length);

        batch.Clear();
        var error = Assert.Throws<InvalidOperationException>(() => batch.Add(cache, [1, 2], 0));
        Assert.Equal(
            "The KV cache holds 70 of 70 positions: there is no room for 2 more. Shorten the text.", error.Message);
        Assert.Equal(0, batch.RowCount);
        cache.RollbackTo(68);
        Assert.Equal(0, batch.Add(cache, [1, 2], 1));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(-1)]
    public void RollbackTo_OutsideTheCache_SaysWhatIsExpected(int length)
    {
        using var cache = _model.CreateCache();
        _model.Append(cache, [1, 2, 3], 0);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => cache.RollbackTo(length));
        Assert.StartsWith($"Cannot roll the KV cache back to length {length}: expected 0 to 3.", error.Message);
        Assert.Equal(3, cache.Length);
    }

    [Fact]
    public void AnySequenceOfOperations_SameBitsAsFromScratch()
    {
        var steps = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 7], Gen.Int[0, 99]).Array[1, 16];
        steps.Sample(
            plan =>
            {
                var session = new CacheSession(_model);
                Array.ForEach(plan, step => session.Do(step.Item1, step.Item2, step.Item3));
                session.DisposeAll();
                Assert.Equal(0, _model.KvBytesInUse);
            },
            iter: 20,
            threads: 1);
    }

    /// <summary>Caches beside the tokens they should hold.</summary>
    private sealed class CacheSession(LanguageModel model)
    {
        private readonly List<(KvCache Cache, List<int> Tokens)> _entries = [];
        private int _seed;

        public void Do(int operation, int which, int size)
        {
            if (_entries.Count == 0)
            {
                _entries.Add((model.CreateCache(), []));
            }

            var (cache, tokens) = _entries[which % _entries.Count];
            switch (operation)
            {
                case < 5:
                    Append(cache, tokens, TinyModels.Tokens(_seed++, (size % 70) + 1));
                    break;
                case < 7:
                    var kept = tokens.Count * size / 100;
                    cache.RollbackTo(kept);
                    tokens.RemoveRange(kept, tokens.Count - kept);
                    break;
                case < 9:
                    _entries.Add((cache.Fork(), [.. tokens]));
                    break;
                default:
                    cache.Dispose();
                    _entries.RemoveAt(which % _entries.Count);
                    break;
            }
        }

        public void DisposeAll() => _entries.ForEach(entry => entry.Cache.Dispose());

        private void Append(KvCache cache, List<int> tokens, int[] added)
        {
            if (tokens.Count + added.Length > 256)
            {
                return;
            }

            tokens.AddRange(added);
            var actual = model.Append(cache, added, Math.Min(added.Length, 4));
            Assert.Equal(tokens.Count, cache.Length);
            Passes.AssertSameBits(model.Score([.. tokens], actual.Length), actual, $"position {tokens.Count}");
        }
    }
}
