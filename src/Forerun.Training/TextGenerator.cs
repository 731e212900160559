using System.Collections.Immutable;
using Forerun.Core.Sampling;
using Forerun.Inference;

namespace Forerun.Training;

/// <summary>A text for the target to answer.</summary>
/// <param name="Tokens">Prompt token ids.</param>
/// <param name="Sampling">How the target chooses.</param>
public sealed record TrainingPrompt(ImmutableArray<int> Tokens, SamplingOptions Sampling);

/// <summary>Lets the target answer many prompts at once and keeps what exits are trained on. A prompt's rows do not depend
/// on what runs beside it. One caller at a time.</summary>
/// <param name="target">The frozen target.</param>
/// <param name="layers">Candidate layers, ascending, and the model's number of layers.</param>
/// <param name="maxTokens">Most output tokens of a prompt.</param>
internal sealed class TextGenerator(LanguageModel target, ImmutableArray<int> layers, int maxTokens) : IDisposable
{
    private const int Slots = 16;
    private const int ChunkRows = 128;

    private readonly ForwardPass _pass = target.CreatePass(ChunkRows, Slots);
    private readonly ForwardBatch _batch = new();
    private readonly List<Answer> _answers = [];

    /// <summary>Answers the prompts.</summary>
    /// <returns>The rows, in the order in which they were computed.</returns>
    public HiddenRows Generate(IEnumerable<TrainingPrompt> prompts, Action<int> progress, CancellationToken cancellationToken)
    {
        var rows = new HiddenRows(layers, target.Config.HiddenSize);
        var waiting = new Queue<TrainingPrompt>(prompts);
        try
        {
            while (waiting.Count > 0 || _answers.Count > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                while (_answers.Count < Slots && waiting.TryDequeue(out var prompt))
                {
                    _answers.Add(Begin(prompt));
                }

                Step(rows);
                progress(rows.Count);
            }
        }
        finally
        {
            _answers.ForEach(answer => answer.Cache.Dispose());
            _answers.Clear();
        }

        return rows;
    }

    /// <inheritdoc/>
    public void Dispose() => _pass.Dispose();

    private Answer Begin(TrainingPrompt prompt)
    {
        var answer = new Answer(
            target.CreateCache(), [.. prompt.Tokens], new TokenSampler(prompt.Sampling, target.Config.VocabSize));
        for (var start = 0; start < prompt.Tokens.Length - 1; start += ChunkRows)
        {
            _batch.Clear();
            var count = Math.Min(ChunkRows, prompt.Tokens.Length - 1 - start);
            _batch.Add(answer.Cache, prompt.Tokens.AsSpan(start, count), logitRows: 0);
            _pass.Run(_batch);
        }

        return answer with { EndLength = Math.Min(prompt.Tokens.Length + maxTokens, target.Config.MaxPositionEmbeddings) };
    }

    /// <summary>One token for every answer.</summary>
    private void Step(HiddenRows rows)
    {
        _batch.Clear();
        foreach (var answer in _answers)
        {
            _batch.Add(answer.Cache, [answer.Tokens[^1]], logitRows: 1);
        }

        _pass.Begin(_batch);
        for (var layer = 0; layer < layers.Length; layer++)
        {
            _pass.RunLayers(layers[layer]);
            for (var row = 0; row < _answers.Count; row++)
            {
                rows.AddHidden(layer, _pass.HiddenStates(row));
            }
        }

        _pass.RunHead();
        for (var row = 0; row < _answers.Count; row++)
        {
            var tokens = _answers[row].Tokens;
            tokens.Add(_answers[row].Sampler.Sample(_pass.Logits(row), tokens.Count, []));
            rows.AddToken(tokens[^1]);
        }

        for (var i = _answers.Count - 1; i >= 0; i--)
        {
            var answer = _answers[i];
            if (answer.Tokens.Count >= answer.EndLength || target.Tokenizer.EndTokens.Contains(answer.Tokens[^1]))
            {
                answer.Cache.Dispose();
                _answers.RemoveAt(i);
            }
        }
    }

    private sealed record Answer(KvCache Cache, List<int> Tokens, TokenSampler Sampler)
    {
        public int EndLength { get; init; }
    }
}
