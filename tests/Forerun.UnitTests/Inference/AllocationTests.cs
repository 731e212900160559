using Forerun.Inference;

namespace Forerun.UnitTests.Inference;

/// <summary>Nothing else runs while memory is counted.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public class AllocationCollection;

/// <summary>After warm-up a decode step and a verification allocate nothing.</summary>
[Collection(nameof(AllocationTests))]
public class AllocationTests
{
    private const int Steps = 50;

    [Theory]
    [InlineData(1, 1, 4)]
    [InlineData(1, 5, 4)]
    [InlineData(1, 1, 40)]
    [InlineData(1, 5, 40)]
    [InlineData(2, 1, 40)]
    [InlineData(2, 5, 40)]
    public void Run_AfterWarmUp_CallingThreadAllocatesNothing(int threads, int rows, int start)
    {
        using var decoder = new Decoder(threads, rows, start);
        decoder.Run(Steps);
        decoder.Run(Steps);
        var before = GC.GetAllocatedBytesForCurrentThread();
        decoder.Run(Steps);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Run_AfterWarmUpTwoThreads_NoThreadAllocates(int rows)
    {
        using var decoder = new Decoder(2, rows, start: 40);
        decoder.Run(Steps);
        var least = long.MaxValue;
        for (var attempt = 0; attempt < 10 && least > 0; attempt++)
        {
            // The test runner's own threads may allocate during an attempt, the engine's in none.
            var before = GC.GetTotalAllocatedBytes(precise: true);
            decoder.Run(Steps);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.Equal(0, least);
    }

    /// <summary>Decodes from <paramref name="start"/> again and again: a verification keeps one of its rows.</summary>
    private sealed class Decoder(int threads, int rows, int start) : IDisposable
    {
        private readonly LanguageModel _model = TinyModels.Load("smollm-gqa-tied-q4_1", threads: threads);
        private readonly ForwardBatch _batch = new();
        private readonly int[] _tokens = TinyModels.Tokens(seed: 1, 64);
        private KvCache? _cache;
        private ForwardPass? _pass;

        public void Run(int steps)
        {
            _cache ??= _model.CreateCache();
            _pass ??= _model.CreatePass();
            _cache.RollbackTo(0);
            Step(_tokens.AsSpan(0, start));
            for (var step = 0; step < steps; step++)
            {
                Step(_tokens.AsSpan(step % 32, rows));
                _cache.RollbackTo(_cache.Length - rows + 1);
            }
        }

        public void Dispose()
        {
            _pass?.Dispose();
            _cache?.Dispose();
            _model.Dispose();
        }

        private void Step(ReadOnlySpan<int> tokens)
        {
            _batch.Clear();
            _batch.Add(_cache!, tokens, Math.Min(rows, tokens.Length));
            _pass!.Run(_batch);
            Assert.False(float.IsNaN(_pass.Logits(0)[0]));
        }
    }
}
