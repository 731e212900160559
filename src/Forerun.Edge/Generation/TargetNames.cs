namespace Forerun.Edge.Generation;

/// <summary>Targets as users name them.</summary>
public static class TargetNames
{
    /// <summary>Whether a name means this target: its id <c>name@fingerprint</c>, or the name alone.</summary>
    public static bool Match(string name, string targetId) =>
        name == targetId || name == targetId[..Math.Max(0, targetId.LastIndexOf('@'))];
}
