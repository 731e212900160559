using System.Numerics.Tensors;

namespace Forerun.Training;

/// <summary>What training reached on the held-out part.</summary>
/// <param name="Loss">Mean KL(target || exit) in nats, over the shortlist.</param>
/// <param name="Agreement">Share of rows whose most probable token is the target's.</param>
internal readonly record struct HeldOut(double Loss, double Agreement);

/// <summary>Minimises the loss of one adapter: Adam (Kingma and Ba 2015, arXiv 1412.6980), cosine decay of the step, the best
/// weights on the held-out part are kept. Deterministic. One caller at a time.</summary>
internal sealed class AdapterTrainer
{
    private const int Batch = 256;
    private const float Step = 1e-3f;
    private const int WarmUpSteps = 50;
    private const int MaxHeldOutBatches = 24;

    private readonly TrainingSet _set;
    private readonly Gemm _gemm;
    private readonly AdapterLoss _loss;
    private readonly int _layer;
    private readonly int _trainCount;
    private readonly float[] _input;
    private readonly float[] _final;
    private readonly float[] _target;
    private readonly int[] _rows = new int[Batch];

    /// <summary>Trains on the first <paramref name="trainCount"/> rows; the others are held out.</summary>
    public AdapterTrainer(TrainingSet set, Gemm gemm, int layer, int rank, float epsilon, int trainCount)
    {
        (_set, _gemm, _layer, _trainCount) = (set, gemm, layer, trainCount);
        _loss = new AdapterLoss(gemm, set.Head, Batch, rank, set.HiddenSize, epsilon);
        _input = new float[Batch * set.HiddenSize];
        _final = new float[Batch * set.HiddenSize];
        _target = new float[Batch * set.Shortlist.Length];
    }

    /// <summary>Improves the weights.</summary>
    /// <param name="weights">Where to start; not changed.</param>
    /// <param name="epochs">Most passes over the rows.</param>
    /// <param name="seed">Order of the rows.</param>
    /// <param name="progress">Told the step.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    public AdapterWeights Train(
        AdapterWeights weights, int epochs, ulong seed, Action<string> progress, CancellationToken cancellationToken)
    {
        var (current, best, bestLoss) = (weights.Copy(), weights, Evaluate(weights).Loss);
        var gradient = new AdapterWeights(weights.Rank, weights.HiddenSize);
        var adam = new Adam(weights);
        var random = new Random((int)(seed + (ulong)_layer));
        int[] order = [.. Enumerable.Range(0, _trainCount)];
        var steps = _trainCount / Batch;
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            random.Shuffle(order);
            for (var step = 0; step < steps; step++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                order.AsSpan(step * Batch, Batch).CopyTo(_rows);
                Load();
                var loss = _loss.Forward(current, _input, _target);
                _loss.Backward(current, _input, _target, gradient);
                var done = (epoch * steps) + step;
                adam.Update(current, gradient, Step * Rate(done, epochs * steps));
                progress($"exit {_layer}: step {done + 1} of {epochs * steps}, loss {loss:F3}, best held-out loss {bestLoss:F3}");
            }

            var heldOut = Evaluate(current).Loss;
            if (heldOut >= bestLoss)
            {
                break;
            }

            (best, bestLoss) = (current.Copy(), heldOut);
        }

        return best;
    }

    /// <summary>Loss and agreement on the held-out rows.</summary>
    public HeldOut Evaluate(AdapterWeights weights)
    {
        var (loss, agreed, batches) = (0d, 0, Math.Clamp((_set.Count - _trainCount) / Batch, 1, MaxHeldOutBatches));
        for (var i = 0; i < batches; i++)
        {
            for (var row = 0; row < Batch; row++)
            {
                _rows[row] = Math.Min(_trainCount + (i * Batch) + row, _set.Count - 1);
            }

            Load();
            loss += _loss.Forward(weights, _input, _target);
            agreed += _loss.Agreed;
        }

        return new HeldOut(loss / batches, (double)agreed / (batches * Batch));
    }

    private static float Rate(int step, int steps) =>
        Math.Min(1f, (step + 1f) / WarmUpSteps) * 0.5f * (1f + MathF.Cos(MathF.PI * step / steps));

    private void Load()
    {
        _set.Copy(_layer, _rows, _input);
        _set.Probabilities(_gemm, _rows, _final, _target);
    }

    /// <summary>First and second moments of the gradients.</summary>
    private sealed class Adam(AdapterWeights weights)
    {
        private const float Decay1 = 0.9f;
        private const float Decay2 = 0.99f;

        private readonly AdapterWeights _first = new(weights.Rank, weights.HiddenSize);
        private readonly AdapterWeights _second = new(weights.Rank, weights.HiddenSize);
        private int _steps;

        public void Update(AdapterWeights weights, AdapterWeights gradient, float step)
        {
            _steps++;
            var scale1 = 1f / (1f - MathF.Pow(Decay1, _steps));
            var scale2 = 1f / (1f - MathF.Pow(Decay2, _steps));
            var (all, gradients, firsts, seconds) = (weights.All, gradient.All, _first.All, _second.All);
            for (var i = 0; i < all.Length; i++)
            {
                var (w, g, m, v) = (all[i], gradients[i], firsts[i], seconds[i]);
                TensorPrimitives.Lerp(g, m, Decay1, m);
                TensorPrimitives.Multiply(g, g, g);
                TensorPrimitives.Lerp(g, v, Decay2, v);
                TensorPrimitives.Multiply(v, scale2, g);
                TensorPrimitives.Sqrt(g, g);
                TensorPrimitives.Add(g, 1e-8f, g);
                TensorPrimitives.Divide(m, g, g);
                TensorPrimitives.MultiplyAdd(g, -step * scale1, w, w);
            }
        }
    }
}
